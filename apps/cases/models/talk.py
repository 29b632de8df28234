"""What is said about a case, and to its contact."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.cases.models.cases import Case
from apps.common.ids import uuid7
from apps.messaging.models import OutgoingEmail


class CaseNote(models.Model):
    """What colleagues write for each other; the contact never sees it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case = models.ForeignKey(Case, models.CASCADE, related_name="notes", verbose_name=_("case"))
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("author")
    )
    text = models.TextField(_("note"), max_length=10_000)
    mentions = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="+", blank=True)
    created_at = models.DateTimeField(_("written"))

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        ordering = ["created_at", "pk"]

    def __str__(self) -> str:
        return self.text[:60]


class CaseMail(models.Model):
    """A mail to the contact from within the case, or the contact's answer."""

    class Direction(models.TextChoices):
        OUT = "out", _("to the contact")
        IN = "in", _("from the contact")

    class Kind(models.TextChoices):
        """Only what somebody wrote themselves opens a case again, and is told to its owner."""

        PERSONAL = "", _("written by a person")
        AUTOMATIC = "auto", _("automatic reply")
        BOUNCE = "bounce", _("could not be delivered")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case = models.ForeignKey(Case, models.CASCADE, related_name="mails", verbose_name=_("case"))
    direction = models.CharField(_("direction"), max_length=3, choices=Direction)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("author")
    )
    email = models.OneToOneField(
        OutgoingEmail, models.SET_NULL, null=True, related_name="case_mail", verbose_name=_("e-mail")
    )
    from_address = models.CharField(_("from"), max_length=320, blank=True)
    subject = models.CharField(_("subject"), max_length=300, blank=True)
    text = models.TextField(_("text"), blank=True)
    # As it came, with what it quotes; "" if that is the same.
    full_text = models.TextField(_("whole text"), blank=True, default="", db_default="")
    kind = models.CharField(_("kind"), max_length=6, choices=Kind, blank=True, default="", db_default="")
    # Its Message-ID: the same mail is never taken twice, whichever way it comes, and answers are known by it.
    message_id = models.CharField(max_length=998, blank=True, default="")
    # Who wrote it cannot be told for certain: sender and contact differ, or the sender's domain did not vouch for it.
    is_doubtful = models.BooleanField(_("sender not certain"), default=False)
    left_out = models.JSONField(_("attachments left out"), default=list, blank=True)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("mail of a case")
        verbose_name_plural = _("mails of cases")
        ordering = ["at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["message_id"], condition=~models.Q(message_id=""), name="case_mail_taken_once"
            )
        ]

    def __str__(self) -> str:
        return self.subject
