"""What trigger rules and cadences have in common: whom they ask what, and within which bounds."""

from datetime import timedelta

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.fields import check_windows
from apps.surveys.models import Survey


class Asking(models.Model):
    """A survey, and when and how often at most it may be sent."""

    name = models.CharField(_("name"), max_length=120)
    survey = models.ForeignKey(Survey, models.PROTECT, related_name="%(class)ss", verbose_name=_("survey"))
    windows = models.JSONField(
        _("send windows"),
        default=list,
        blank=True,
        validators=[check_windows],
        help_text=_("In the contact's own time zone. None: at any hour."),
    )
    skip_holidays = models.BooleanField(
        _("not on public holidays"), default=False, help_text=_("Of the contact's country and region.")
    )
    best_hour = models.BooleanField(
        _("at each contact's best hour"),
        default=False,
        help_text=_(
            "Up to a day later, at the hour at which the contact usually answers, within the send windows. One in five "
            "keeps the usual time, so that you can see what it brings."
        ),
    )
    percent = models.PositiveSmallIntegerField(
        _("share asked, in %"),
        default=100,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text=_("A random part of those who fit; 100: everybody."),
    )
    daily_cap = models.PositiveIntegerField(
        _("at most per day"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Spread evenly over the day; who is over it is asked the next day. Empty: no limit."),
    )
    expires_after = models.DurationField(
        _("pointless after"), default=timedelta(days=14), help_text=_("Counted from when it should have been sent.")
    )
    priority = models.SmallIntegerField(
        _("priority"), default=0, help_text=_("Higher goes first, and pushes lower ones back that are not sent yet.")
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=models.Q(expires_after__gt=timedelta(0), expires_after__lte=timedelta(days=730)),
                name="%(class)s_expiry_up_to_2_years",
                violation_error_message=_("The expiry must be more than nothing and at most two years."),
            ),
            models.CheckConstraint(
                condition=models.Q(percent__gte=1, percent__lte=100), name="%(class)s_percent_1_to_100"
            ),
            models.CheckConstraint(
                condition=models.Q(daily_cap__isnull=True) | models.Q(daily_cap__gte=1), name="%(class)s_daily_cap"
            ),
        ]

    def __str__(self) -> str:
        return self.name
