"""A mailbox of the tenant's own that answers are fetched from."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.fields import SealedField
from apps.relays.models import PendingMessage, PolledMailbox

_host = RegexValidator(r"\A[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?\Z", _("Enter a host name."))
_printable = RegexValidator(r"\A[\x20-\x7e]+\Z", _("Only letters, digits and signs without accents."))
# A mark and “+case.” go between the halves of the address; a local part has at most 64 characters.
_short = RegexValidator(
    r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,13}@[^@\s]+\Z", _("At most 14 characters and no “+” before the “@”.")
)


class CaseMailbox(PolledMailbox):
    """Where answers to mails from cases come in, and how to read it. Without one: the platform's."""

    class Security(models.TextChoices):
        SSL = "ssl", _("TLS from the start (993)")
        STARTTLS = "tls", _("STARTTLS (143)")

    address = models.EmailField(
        _("address"),
        validators=[_short],
        help_text=_("Answers go to it with a mark after a “+”: the mail service must deliver those as well."),
    )
    host = models.CharField(_("IMAP server"), max_length=253, validators=[_host])
    port = models.PositiveIntegerField(
        _("port"), default=993, validators=[MinValueValidator(1), MaxValueValidator(65535)]
    )
    security = models.CharField(_("encryption"), max_length=3, choices=Security, default=Security.SSL)
    user = models.CharField(_("user name"), max_length=254, validators=[_printable])
    password = SealedField(_("password"), purpose="cases.casemailbox.password", max_length=500)
    folder = models.CharField(_("folder"), max_length=200, default="INBOX", validators=[_printable])
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("mailbox for answers")
        verbose_name_plural = _("mailbox for answers")
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="case_mailbox_single_row")]

    def __str__(self) -> str:
        return self.address

    def clean(self) -> None:
        super().clean()
        if self._state.adding and CaseMailbox.objects.exists():
            raise ValidationError(_("There is one mailbox for answers; change it instead."))
        self.pk = 1


class CaseMailboxMessage(PendingMessage):
    """A message in the tenant's mailbox that something still has to be done about."""

    mailbox = models.ForeignKey(CaseMailbox, models.CASCADE, related_name="messages", verbose_name=_("mailbox"))

    class Meta:
        verbose_name = _("incoming mail that was not taken")
        verbose_name_plural = _("incoming mails that were not taken")
        constraints = [
            models.UniqueConstraint(fields=["mailbox", "uid_validity", "uid"], name="case_mailbox_message_once")
        ]
