"""What the dashboard shows, and how that is written in an address: every state of it is one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from apps.contacts.models import Company
from apps.insights.slices import Grain, Period, Property, Slice
from apps.responses.models import Response
from apps.touchpoints.models import Touchpoint
from apps.workspace import dashboard_choices
from apps.workspace.dashboard_choices import PREVIOUS, SEGMENT, YEAR, Choices
from apps.workspace.filters import ANY, INCENTIVES, Filter

DAYS = 90
MAX_DAYS = 3660
MAX_VALUE = 200
"""Characters of a property's value that can be asked for."""
MAX_POINTS = 186
"""So many points a trend has at most: the grain is coarser where there would be more."""
GRAINS = (
    (Grain.DAY, _("Day")), (Grain.WEEK, _("Week")), (Grain.MONTH, _("Month")), (Grain.QUARTER, _("Quarter")),
)  # fmt: skip
SORTS = ("name", "nps", "change", "n")
FIRST = ("touchpoint", "survey", "compare")
OTHERS = (
    "since", "until", "stage", "channel", "language", "segment", "company", "property_name",
    "property_value", "incentive",
)  # fmt: skip
NARROWING = {*OTHERS, "touchpoint", "survey", "company_id"} - {"property_name"}
"""What makes figures those of a part; a property does with its value only."""
USUAL = {"days": str(DAYS), "by": "touchpoint", "compare": PREVIOUS}
"""What is shown where nobody chose; it stays out of the address."""


class _Day(forms.DateField):
    """A day as ISO writes it, whatever the reader's language: it stands in addresses."""

    widget = forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    input_formats = ("%Y-%m-%d",)


def _field(label: Any, **options: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, required=False, **options)


class DashboardFilter(Filter):
    """Period, what counts, what it is compared with, and how it is cut. What makes no sense counts as not given."""

    q = None  # type: ignore[assignment]
    template_name = "workspace/_dashboard_filter.html"

    touchpoint = _field(_("Touchpoint"))
    survey = _field(_("Survey"))
    compare = _field(_("Compared with"))
    since = _Day(label=_("First day"), required=False)
    until = _Day(label=_("Last day"), required=False)
    stage = _field(_("Stage"))
    channel = _field(
        _("Channel"), choices=[ANY, *((value, capfirst(label)) for value, label in Response.Channel.choices)]
    )
    language = _field(_("Language"))
    segment = _field(_("Segment of contacts"))
    company = forms.CharField(label=_("Company"), required=False, max_length=200)
    property_name = _field(_("Property"))
    property_value = forms.CharField(
        label=_("Value of the property"), required=False, max_length=MAX_VALUE, strip=False
    )
    incentive = _field(_("Incentive"), choices=[ANY, ("no", _("Without incentive")), ("yes", _("Only with incentive"))])
    days = _field(_("Period"), choices=[("30", _("30 days")), ("90", _("90 days")), ("365", _("12 months"))])
    grain = _field(_("Points of the trend"), choices=[("", ""), *GRAINS])
    rolling = _field(
        _("Rolling window"),
        choices=[
            ("", _("No rolling window")), ("7", _("Rolling 7 days")), ("30", _("Rolling 30 days")),
            ("90", _("Rolling 90 days")),
        ],
    )  # fmt: skip
    by = _field(_("Broken down by"))
    sort = _field(_("Sorted by"), choices=[(name, name) for name in ("", *SORTS, *(f"-{name}" for name in SORTS))])
    rows = _field(_("Rows"), choices=[("", ""), ("all", "")])
    company_id = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    view = forms.UUIDField(required=False)

    def __init__(self, data: Mapping[str, Any], *, now: datetime, choices: Choices | None = None) -> None:
        # A value that nobody chose is the usual one, also in the form as it is shown.
        given = {name: data.get(name) for name in self.base_fields if data.get(name)}
        super().__init__({**USUAL, **given})
        self.today = now.date()
        self.has_incentives = False
        self.choices = choices or dashboard_choices.choices()
        offered = dashboard_choices.offered(self.choices, given)
        for name, values in offered.items():
            self.fields[name].choices = values  # type: ignore[attr-defined]
        self.is_valid()
        if self.company_chosen is not None:
            # Shown by its name, however it was asked for.
            self.data = {**self.data, "company": self.company_chosen.name}

    @cached_property
    def asked(self) -> dict[str, Any]:
        """What was asked for and makes sense."""
        values = self.values()
        if not (values["property_name"] and values["property_value"]):
            values["property_name"] = values["property_value"] = ""
        if self._dates(values) is None:
            values["since"] = values["until"] = ""
        for name, usual in USUAL.items():
            values[name] = values[name] or usual
        return values

    def _dates(self, values: Mapping[str, Any]) -> Period | None:
        """The days that were typed in; the last one is today where none is given."""
        if not values["since"]:
            return None
        since, until = values["since"], values["until"] or self.today
        if not since <= until or (until - since).days >= MAX_DAYS or until > self.today + timedelta(days=MAX_DAYS):
            return None
        return Period(since, until) if since >= date(1970, 1, 1) + timedelta(days=2 * MAX_DAYS) else None

    @cached_property
    def period(self) -> Period:
        """The days that count."""
        return self._dates(self.asked) or Period.last(int(self.asked["days"]), today=self.today)

    @cached_property
    def companies(self) -> list[Company]:
        """Those that were asked for: the one that counts, or several to choose from."""
        values = self.values()
        if values["company"]:
            return dashboard_choices.companies(values["company"])
        found = dashboard_choices.company(values["company_id"]) if values["company_id"] else None
        return [found] if found else []

    @property
    def company_chosen(self) -> Company | None:
        """The company whose responses count; None: all, also while it is not clear which one is meant."""
        return self.companies[0] if len(self.companies) == 1 else None

    @property
    def touchpoint_chosen(self) -> Touchpoint | None:
        """The touchpoint whose responses count; None: all."""
        return next((row for row in self.choices.touchpoints if row.key == self.asked["touchpoint"]), None)

    @cached_property
    def wanted(self) -> Slice:
        """The responses that count."""
        asked = self.asked
        return Slice(
            survey=asked["survey"],
            touchpoint=asked["touchpoint"],
            stage=asked["stage"],
            channel=asked["channel"],
            language=asked["language"],
            company_id=self.company_chosen.pk if self.company_chosen else None,
            segment=asked["segment"],
            trait=Property(asked["property_name"], asked["property_value"]) if asked["property_name"] else None,
            is_incentivised=INCENTIVES.get(asked["incentive"]),
        )

    @property
    def against(self) -> Period | Slice | None:
        """What it is compared with: another period, another segment, or nothing."""
        compare = self.asked["compare"]
        if compare.startswith(SEGMENT):
            return replace(self.wanted, segment=compare.removeprefix(SEGMENT))
        return {PREVIOUS: self.period.before(), YEAR: self.period.year_before()}.get(compare)

    @property
    def trend_grain(self) -> Grain:
        """How long each point of the trend is: as asked for, or as it suits the period; never too many of them."""
        days = self.period.days
        usual = Grain.DAY if days <= 31 else Grain.WEEK if days <= 190 else Grain.MONTH if days <= 1100 else None
        wanted = Grain(self.asked["grain"] or usual or Grain.QUARTER)
        order = [grain for grain, _name in GRAINS]
        possible = [grain for grain in order[order.index(wanted) :] if len(self.period.buckets(grain)) <= MAX_POINTS]
        return possible[0] if possible else Grain.QUARTER

    @property
    def window(self) -> int | None:
        """Of how many days each point is made, if not of its own."""
        return int(self.asked["rolling"]) if self.asked["rolling"] else None

    @property
    def dimension(self) -> str:
        """What the breakdown goes by."""
        return str(self.asked["by"])

    # --- addresses ------------------------------------------------------------------------------------

    @cached_property
    def given(self) -> dict[str, str]:
        """What differs from the usual, as texts: what an address or a saved view keeps."""
        asked = {**self.asked, "company": "", "company_id": self.wanted.company_id or ""}
        if asked["since"]:
            asked["days"] = ""
        return {name: str(asked[name]) for name in self.fields if asked[name] and str(asked[name]) != USUAL.get(name)}

    def query(self, **changes: Any) -> str:
        """The query string of this state with some changes; an empty value takes one away."""
        if changes.get("days") and "since" not in changes:
            changes |= {"since": "", "until": ""}
        values = {**self.given, **changes}
        kept = {name: str(values[name]) for name in self.fields if values.get(name)}
        return urlencode({name: value for name, value in kept.items() if value != USUAL.get(name)})

    @property
    def stored(self) -> dict[str, str]:
        """What a saved view keeps."""
        return {name: value for name, value in self.given.items() if name not in ("view", "rows")}

    @property
    def is_wider(self) -> bool:
        """Whether something was asked for that could not be applied, so that figures are those of more than that."""
        asked = {**self.asked, "company": self.company_chosen, "company_id": self.company_chosen}
        if self.data["compare"] != asked["compare"]:
            return True
        return any(self.data.get(name) and not asked[name] for name in NARROWING)

    @property
    def is_used(self) -> bool:
        return bool(self.stored)

    # --- as it is shown -------------------------------------------------------------------------------

    @property
    def periods(self) -> list[tuple[str, Any]]:
        """The usual periods: value and name."""
        return list(self.fields["days"].choices)  # type: ignore[attr-defined]

    @property
    def shown_days(self) -> str:
        """Which of them is shown; "" for days that were typed in."""
        return "" if self.asked["since"] else str(self.asked["days"])

    @property
    def grains(self) -> Sequence[tuple[Grain, Any]]:
        """How long a point can be."""
        return GRAINS

    @property
    def against_name(self) -> str:
        """What it is compared with, in words."""
        compare = self.asked["compare"]
        names = {row.key: row.name for row in self.choices.segments}
        if compare.startswith(SEGMENT):
            return names.get(compare.removeprefix(SEGMENT), "")
        return str(dict(self.fields["compare"].choices).get(compare, ""))  # type: ignore[attr-defined]

    @property
    def first_fields(self) -> list[forms.BoundField]:
        """What is always in sight."""
        return [self[name] for name in FIRST]

    @property
    def other_fields(self) -> list[forms.BoundField]:
        """What can be unfolded; who never promised anything has no incentives to choose from."""
        return [self[name] for name in OTHERS if name != "incentive" or self.has_incentives or self.asked[name]]

    @property
    def other_count(self) -> int:
        """How many of the unfolded ones are in use."""
        return sum(1 for name in ("company_id", *OTHERS) if name != "property_value" and name in self.given)

    @property
    def unclear_company(self) -> bool:
        """Whether a company was asked for that is not the only one, or none."""
        return bool(self.values()["company"]) and self.company_chosen is None

    @property
    def unclear_days(self) -> bool:
        """Whether days were typed in that make no period."""
        return bool(self.data.get("since") or self.data.get("until")) and not self.asked["since"]

    @property
    def stage_names(self) -> dict[str, str]:
        """The stage of each touchpoint."""
        return {row.key: str(row.stage) for row in self.choices.touchpoints}

    def without(self, *names: str) -> list[tuple[str, str]]:
        """Names and values of all that a form leaves as it is."""
        return [(name, value) for name, value in self.given.items() if name not in names]

    @property
    def rolling_choice(self) -> forms.BoundField:
        """Beside the trend."""
        return self["rolling"]

    @property
    def by_choice(self) -> forms.BoundField:
        """Beside the breakdown."""
        return self["by"]
