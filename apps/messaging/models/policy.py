"""What holds for all messages of a tenant, and what waits."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class MailPolicy(models.Model):
    """What holds for all messages of a tenant. One row per tenant."""

    class SmsUse(models.TextChoices):
        NEVER = "never", _("never")
        WITHOUT_EMAIL = "without_email", _("to contacts without an e-mail address")
        PREFERRED = "preferred", _("whenever there is a number")

    keep_bodies_days = models.PositiveSmallIntegerField(
        _("keep what was written for days"),
        default=90,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text=_("Afterwards only the fact stays: when, to whom, which subject, what became of it."),
    )
    soft_bounces = models.PositiveSmallIntegerField(
        _("temporary failures that block an address"),
        default=3,
        validators=[MinValueValidator(1), MaxValueValidator(20)],
        help_text=_("So many different mails in a row that the address did not take, within 30 days."),
    )
    learns_from_opens = models.BooleanField(
        _("learn the best hour from opened mails"),
        default=False,
        help_text=_("Only where the mail service reports it and the contact agreed. Answers count in any case."),
    )
    sms_use = models.CharField(_("text messages"), max_length=14, choices=SmsUse, default=SmsUse.NEVER)
    # How far back words are gone, so that nobody has to look through all history each day; see retention.
    bodies_deleted_until = models.DateTimeField(_("words deleted up to"), null=True, editable=False)
    late_bodies_deleted_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("mail policy")
        verbose_name_plural = _("mail policy")
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="mail_policy_single_row")]

    def __str__(self) -> str:
        return str(_("Mail policy"))

    def clean(self) -> None:
        if self._state.adding and MailPolicy.objects.exists():
            raise ValidationError(_("There is one mail policy; change it instead."))
        self.pk = 1


class Pause(models.Model):
    """A stream of messages that is held back; the empty one is everything."""

    stream = models.CharField(_("what waits"), max_length=60, unique=True, blank=True)
    since = models.DateTimeField(_("since"))
    by = models.CharField(_("by"), max_length=150, blank=True)

    class Meta:
        verbose_name = _("pause")
        verbose_name_plural = _("pauses")

    def __str__(self) -> str:
        return self.stream or str(_("everything"))


class DomainRest(models.Model):
    """A recipients' domain that asked us to come back later."""

    domain = models.CharField(_("domain"), max_length=253, unique=True)
    faults = models.PositiveSmallIntegerField(_("refusals in a row"), default=0)
    until = models.DateTimeField(_("rests until"))

    class Meta:
        verbose_name = _("resting domain")
        verbose_name_plural = _("resting domains")

    def __str__(self) -> str:
        return self.domain
