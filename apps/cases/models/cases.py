"""A case, what happened to it, and saved lists of cases."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Least, Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.cases.models.policy import Outcome, RootCause
from apps.cases.models.rules import CaseRule
from apps.common.ids import uuid7
from apps.contacts.models import Contact
from apps.responses.models import Response

# When something has to have happened: the first contact until there was one, then the close.
NEXT_DUE = Least(models.Case(models.When(first_contact_at__isnull=True, then=models.F("contact_due_at"))), "due_at")


class Case(models.Model):
    """Somebody takes care of one contact's answer."""

    class Status(models.TextChoices):
        NEW = "new", _("new")
        CONTACTED = "contacted", _("contacted")
        SOLVED = "solved", _("solved")
        LOST = "lost", _("lost")

    class Alarm(models.IntegerChoices):
        """What its owner, or the one it escalates to, is told next."""

        REMIND = 0, _("reminder")
        OVERDUE = 1, _("overdue")
        ESCALATE = 2, _("escalation")
        NONE = 3, _("nothing more")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    response = models.OneToOneField(Response, models.CASCADE, related_name="case", verbose_name=_("response"))
    contact = models.ForeignKey(Contact, models.SET_NULL, null=True, related_name="cases", verbose_name=_("contact"))
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="cases", verbose_name=_("owner")
    )
    rule = models.ForeignKey(
        CaseRule, models.SET_NULL, null=True, blank=True, related_name="cases", verbose_name=_("opened by the rule")
    )
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.NEW)
    is_urgent = models.BooleanField(_("urgent"), default=False, db_default=False)
    outcome = models.TextField(_("how it ended"), blank=True)
    result = models.ForeignKey(
        Outcome, models.PROTECT, null=True, blank=True, related_name="cases", verbose_name=_("outcome")
    )
    root_cause = models.ForeignKey(
        RootCause, models.PROTECT, null=True, blank=True, related_name="cases", verbose_name=_("root cause")
    )
    opened_at = models.DateTimeField(_("opened"))
    # Until then somebody gets in touch, and until due_at it is closed.
    contact_due_at = models.DateTimeField(_("first contact due"), null=True, blank=True)
    due_at = models.DateTimeField(_("due"))
    first_contact_at = models.DateTimeField(_("first contact"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    alarm = models.PositiveSmallIntegerField(_("next alarm"), choices=Alarm, default=Alarm.NONE, db_default=3)
    alarm_at = models.DateTimeField(_("alarm at"), null=True, blank=True)
    merged_into = models.ForeignKey(
        "self", models.CASCADE, null=True, blank=True, related_name="merged", verbose_name=_("merged into")
    )
    updated_at = models.DateTimeField(_("changed"), default=timezone.now, db_default=Now(), editable=False)
    # Counts changes, so that nobody overwrites what somebody else just wrote.
    revision = models.PositiveIntegerField(default=0, db_default=0, editable=False)

    class Meta:
        verbose_name = _("case")
        verbose_name_plural = _("cases")
        constraints = [
            models.CheckConstraint(
                condition=(models.Q(closed_at__isnull=True) & (models.Q(status="new") | models.Q(status="contacted")))
                | (models.Q(closed_at__isnull=False) & (models.Q(status="solved") | models.Q(status="lost")))
                | models.Q(merged_into__isnull=False),
                name="case_closed_with_time",
            ),
            models.CheckConstraint(
                condition=models.Q(merged_into__isnull=True) | ~models.Q(merged_into=models.F("id")),
                name="case_not_merged_into_itself",
            ),
        ]
        indexes = [
            models.Index(fields=["status", "due_at"], name="case_open"),
            models.Index(fields=["alarm_at"], name="case_alarm", condition=models.Q(alarm_at__isnull=False)),
            models.Index(fields=["owner", "due_at"], name="case_of_owner"),
            models.Index(fields=["-closed_at"], name="case_by_close", condition=models.Q(closed_at__isnull=False)),
            models.Index(fields=["updated_at", "id"], name="case_by_change"),
            models.Index(fields=["opened_at", "id"], name="case_by_opening"),
            models.Index(
                NEXT_DUE,
                "id",
                name="case_next_due",
                condition=models.Q(closed_at__isnull=True, merged_into__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contact} ({self.get_status_display()})"

    @property
    def is_closed(self) -> bool:
        """Whether nobody has to do anything any more."""
        return self.closed_at is not None or self.merged_into_id is not None


class CaseChange(models.Model):
    """What happened to a case: kept, never changed."""

    class Kind(models.TextChoices):
        OPENED = "opened", _("opened")
        STATUS = "status", _("status")
        OWNER = "owner", _("owner")
        DUE = "due", _("due")
        OUTCOME = "outcome", _("outcome")
        ROOT_CAUSE = "root_cause", _("root cause")
        URGENT = "urgent", _("urgency")
        MERGED = "merged", _("merged")
        REMINDED = "reminded", _("reminded")
        OVERDUE = "overdue", _("overdue")
        ESCALATED = "escalated", _("escalated")
        ANSWERED = "answered", _("answered again")

    case = models.ForeignKey(Case, models.CASCADE, related_name="changes", verbose_name=_("case"))
    kind = models.CharField(_("what"), max_length=12, choices=Kind)
    at = models.DateTimeField(_("at"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by"))
    # Keys and ids only, no words of the contact: {"from": "new", "to": "contacted"}.
    data = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("change of a case")
        verbose_name_plural = _("changes of cases")
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.at:%Y-%m-%d}"


class CaseView(models.Model):
    """A saved list of cases: what it is filtered and sorted by, under a name."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="case_views", verbose_name=_("user")
    )
    name = models.CharField(_("name"), max_length=60)
    # A query string of the list of cases, checked by its filter form each time it is used.
    query = models.CharField(max_length=500, blank=True)
    is_shared = models.BooleanField(_("for everybody"), default=False)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("saved list of cases")
        verbose_name_plural = _("saved lists of cases")
        ordering = ["position", "name", "pk"]
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="case_view_name_once")]

    def __str__(self) -> str:
        return self.name
