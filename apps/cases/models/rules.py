"""Which responses open a case, and who gets it."""

from datetime import timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.cases.models.policy import LONGEST
from apps.contacts.models import Company
from apps.surveys.models import Survey
from apps.touchpoints.models import Touchpoint
from apps.triggers.models import Segment


class CaseRule(models.Model):
    """Opens a case for responses that fit all it says; the first rule that fits counts.

    Without any active rule every detractor's response opens one.
    """

    class Score(models.TextChoices):
        ANY = "", _("any score")
        DETRACTOR = "detractor", _("detractors (0–6)")
        PASSIVE = "passive", _("passives (7–8)")
        PROMOTER = "promoter", _("promoters (9–10)")

    class Owner(models.TextChoices):
        NOBODY = "nobody", _("nobody yet")
        ROUND_ROBIN = "round_robin", _("in turn")
        COMPANY = "company", _("whoever looks after the company")
        TOUCHPOINT = "touchpoint", _("whoever looks after the touchpoint")

    name = models.CharField(_("name"), max_length=120)
    position = models.PositiveSmallIntegerField(
        _("position"), default=0, help_text=_("The first rule that fits counts.")
    )
    is_active = models.BooleanField(_("active"), default=True)
    score = models.CharField(_("score"), max_length=10, choices=Score, blank=True, default=Score.DETRACTOR)
    keywords = ArrayField(
        models.CharField(max_length=60),
        verbose_name=_("words"),
        default=list,
        blank=True,
        help_text=_("The comment names one of them, e.g. “cancel, lawyer”. Empty: whatever it says."),
    )
    contact_segment = models.ForeignKey(
        Segment,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="case_rules",
        verbose_name=_("segment of contacts"),
        help_text=_("For example companies over a value. Empty: all contacts."),
    )
    survey = models.ForeignKey(
        Survey, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("survey"),
        help_text=_("Empty: all."),
    )  # fmt: skip
    touchpoint = models.ForeignKey(
        Touchpoint, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("touchpoint"),
        help_text=_("Empty: all."),
    )  # fmt: skip
    is_urgent = models.BooleanField(_("urgent"), default=False)
    owner = models.CharField(_("owner"), max_length=12, choices=Owner, default=Owner.ROUND_ROBIN)
    contact_within = models.DurationField(
        _("first contact within"), null=True, blank=True, help_text=_("Working time. Empty: as for all cases.")
    )
    close_within = models.DurationField(
        _("closed within"), null=True, blank=True, help_text=_("Working time. Empty: as for all cases.")
    )

    class Meta:
        verbose_name = _("rule for opening cases")
        verbose_name_plural = _("rules for opening cases")
        ordering = ["position", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=(models.Q(contact_within__isnull=True) | models.Q(contact_within__gte=timedelta(0)))
                & (models.Q(close_within__isnull=True) | models.Q(close_within__gt=timedelta(0))),
                name="case_rule_times",
                violation_error_message=_("Times must be between nothing and a year."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        times = {"contact_within": self.contact_within, "close_within": self.close_within}
        late = [name for name, value in times.items() if value is not None and value > LONGEST]
        if late:
            raise ValidationError(dict.fromkeys(late, _("Times must be between nothing and a year.")))


class CaseRuleMember(models.Model):
    """Somebody whose turn it can be with a rule's cases; also the one in turn where nobody looks after a company."""

    rule = models.ForeignKey(CaseRule, models.CASCADE, related_name="members", verbose_name=_("rule"))
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("user"))
    # Whose turn was longest ago is next.
    last_at = models.DateTimeField(_("last case"), null=True, editable=False)

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["rule", "user"], name="case_rule_member_once")]

    def __str__(self) -> str:
        return str(self.user)


class Responsibility(models.Model):
    """Who looks after a company or a touchpoint."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="responsibilities", verbose_name=_("user")
    )
    company = models.OneToOneField(
        Company, models.CASCADE, null=True, blank=True, related_name="responsibility", verbose_name=_("company")
    )
    touchpoint = models.OneToOneField(
        Touchpoint, models.CASCADE, null=True, blank=True, related_name="responsibility", verbose_name=_("touchpoint")
    )

    class Meta:
        verbose_name = _("responsibility")
        verbose_name_plural = _("responsibilities")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(company__isnull=False, touchpoint__isnull=True)
                | models.Q(company__isnull=True, touchpoint__isnull=False),
                name="responsibility_for_one_thing",
                violation_error_message=_("Choose a company or a touchpoint, not both."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.company or self.touchpoint}"
