"""What the list of cases and the board can be filtered and sorted by, and how that is written in an address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.models import AbstractUser
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.cases.models import Case, Outcome, RootCause
from apps.touchpoints.models import Touchpoint
from apps.workspace.filters import ANY, Filter

OPEN, CLOSED, ALL = "open", "closed", "all"
ME, NOBODY = "me", "none"
OVERDUE, TODAY, WEEK = "overdue", "today", "week"
BY_DUE, BY_OPENED, BY_SCORE, BY_CLOSED = "due", "opened", "score", "closed"

# What a saved list keeps, in the order it is written.
KEPT = ("q", "status", "owner", "due", "urgent", "touchpoint", "cause", "result", "days", "company", "sort")
_STATUSES = [(value, capfirst(label)) for value, label in Case.Status.choices]


def name_of(user: AbstractUser) -> str:
    """A user's name, or what they sign in with."""
    return user.get_full_name() or user.get_username()


@dataclass(frozen=True, slots=True)
class Choices:
    """What there is to choose from on pages about cases, read once."""

    everybody: Sequence[AbstractUser]
    results: Sequence[Outcome]
    causes: Sequence[RootCause]
    touchpoints: Sequence[Touchpoint] = ()

    @property
    def people(self) -> list[AbstractUser]:
        """Those who can be given a case."""
        return [user for user in self.everybody if user.is_active]

    @property
    def names(self) -> dict[int, str]:
        """Everybody's name by id, also of those who have left."""
        return {user.pk: name_of(user) for user in self.everybody}


class CaseFilter(Filter):
    """Open cases by when they are due, unless something else is asked for."""

    template_name = "workspace/_case_filter.html"

    status = forms.ChoiceField(
        label=_("Status"),
        required=False,
        choices=[(OPEN, _("Open")), *_STATUSES, (CLOSED, _("Closed")), (ALL, _("All"))],
        initial=OPEN,
    )
    owner = forms.ChoiceField(label=_("Owner"), required=False)
    due = forms.ChoiceField(
        label=_("Due"),
        required=False,
        choices=[ANY, (OVERDUE, _("Overdue")), (TODAY, _("Today")), (WEEK, _("Within 7 days"))],
    )
    urgent = forms.ChoiceField(label=_("Urgency"), required=False, choices=[ANY, ("yes", _("Only urgent ones"))])
    touchpoint = forms.ChoiceField(label=_("Touchpoint"), required=False)
    cause = forms.ChoiceField(label=_("Root cause"), required=False)
    result = forms.ChoiceField(label=_("Outcome"), required=False)
    days = forms.ChoiceField(
        label=_("Opened"),
        required=False,
        choices=[ANY, ("1", _("Last 24 hours")), ("7", _("Last 7 days")), ("30", _("Last 30 days")),
                 ("90", _("Last 90 days")), ("365", _("Last 12 months"))],
    )  # fmt: skip
    company = forms.CharField(label=_("Company"), required=False, max_length=60)
    sort = forms.ChoiceField(
        label=_("Sorted by"),
        required=False,
        choices=[
            ("", pgettext_lazy("order of cases", "What fits the status")),
            (BY_DUE, _("Due first")),
            (BY_OPENED, _("Newest first")),
            (BY_SCORE, _("Lowest score first")),
        ],
    )
    view = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)
    field_order = ["q", "status", "owner", "due", "touchpoint"]

    def __init__(self, data: Any, *, choices: Choices) -> None:
        super().__init__(data)
        lists: dict[str, list[tuple[Any, Any]]] = {
            "owner": [ANY, (ME, _("Me")), (NOBODY, _("Nobody")), *((u.pk, name_of(u)) for u in choices.people)],
            "touchpoint": [ANY, *((row.key, str(row)) for row in choices.touchpoints)],
            "cause": [ANY, *((row.pk, str(row)) for row in choices.causes)],
            "result": [ANY, *((row.pk, str(row)) for row in choices.results)],
        }
        for name, offered in lists.items():
            self.fields[name].choices = offered  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        found = super().values()
        return {**found, "status": found.get("status") or OPEN}

    @property
    def is_used(self) -> bool:
        """True if anything narrows the list."""
        values = self.values()
        return any(values[name] for name in KEPT if name not in ("sort", "status")) or values["status"] != OPEN

    @property
    def first_fields(self) -> list[forms.BoundField]:
        """What is always in sight."""
        return [self[name] for name in ("q", "status", "owner", "due") if name in self.fields]

    @property
    def other_fields(self) -> list[forms.BoundField]:
        """What can be unfolded."""
        wanted = ("urgent", "touchpoint", "cause", "result", "days", "company", "sort")
        return [self[name] for name in wanted if name in self.fields]

    @property
    def other_count(self) -> int:
        """How many of the unfolded ones are in use."""
        values = self.values()
        return sum(1 for field in self.other_fields if values[field.name])


class BoardFilter(CaseFilter):
    """The same for the board, whose columns are the statuses."""

    status = None  # type: ignore[assignment]
    sort = None  # type: ignore[assignment]
    view = None  # type: ignore[assignment]

    def values(self) -> dict[str, Any]:
        return {**super().values(), "status": ALL, "sort": ""}

    @property
    def is_used(self) -> bool:
        values = self.values()
        return any(values[name] for name in KEPT if name not in ("sort", "status"))


def order_of(values: Mapping[str, Any]) -> str:
    """What is sorted by where nobody chose: open cases by due time, closed ones last closed first."""
    if values["sort"]:
        return str(values["sort"])
    if values["status"] in (CLOSED, Case.Status.SOLVED, Case.Status.LOST):
        return BY_CLOSED
    return BY_OPENED if values["status"] == ALL else BY_DUE


def written(values: Mapping[str, Any]) -> str:
    """The filters as a query string, always the same for the same filters; empty for all open cases."""
    pairs = [(name, values[name]) for name in KEPT if values[name]]
    return urlencode([pair for pair in pairs if pair != ("status", OPEN)])
