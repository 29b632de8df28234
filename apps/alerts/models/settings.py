"""When a user may be told, and how what concerns them personally reaches them."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _


class AlertSettings(models.Model):
    """One user's wishes. Who has no row wants the defaults."""

    class Personal(models.TextChoices):
        INSTANT = "instant", _("at once")
        DIGEST = "digest", _("once a day, all together")
        OFF = "off", _("not at all")

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="alert_settings", verbose_name=_("user")
    )
    quiet_from = models.TimeField(_("quiet from"), null=True, blank=True)
    quiet_to = models.TimeField(_("quiet until"), null=True, blank=True)
    skip_weekends = models.BooleanField(_("nothing at weekends"), default=False)
    skip_holidays = models.BooleanField(_("nothing on public holidays"), default=False)
    personal = models.CharField(
        _("what concerns me"), max_length=7, choices=Personal, default=Personal.INSTANT,
        help_text=_("Cases given to you, mentions, due times, answers of your contacts."),
    )  # fmt: skip
    digest_hour = models.PositiveSmallIntegerField(_("hour of the summary"), default=8)

    class Meta:
        verbose_name = _("alert settings")
        verbose_name_plural = _("alert settings")
        constraints = [
            models.CheckConstraint(condition=models.Q(digest_hour__lte=23), name="alert_settings_hour"),
            models.CheckConstraint(
                condition=models.Q(quiet_from__isnull=True, quiet_to__isnull=True)
                | models.Q(quiet_from__isnull=False, quiet_to__isnull=False),
                name="alert_settings_quiet_both_or_none",
                violation_error_message=_("Give both times of the quiet hours, or none."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}"

    def clean(self) -> None:
        super().clean()
        if self.quiet_from is not None and self.quiet_from == self.quiet_to:
            raise ValidationError({"quiet_to": _("From and until are the same: leave both empty for no quiet hours.")})
