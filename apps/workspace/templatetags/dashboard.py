"""Small pieces of the dashboard."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django import template
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from apps.insights.groups import PROPERTY
from apps.insights.slices import Grain, Period
from apps.workspace import dashboard_choices
from apps.workspace.board import Board, Row
from apps.workspace.dashboard_filter import FIRST, MAX_VALUE, OTHERS, DashboardFilter
from apps.workspace.templatetags.workspace import day, short_day

register = template.Library()

_FIELDS = {"company": "company_id"}


@register.simple_tag
def state(form: DashboardFilter, **changes: Any) -> str:
    """The address of the dashboard as it stands, with some changes; an empty value takes a filter away."""
    query = form.query(**changes)
    return reverse("workspace:dashboard") + (f"?{query}" if query else "")


@register.simple_tag
def part_state(form: DashboardFilter, row: Row, dimension: str) -> str:
    """The address of the dashboard for one part of the breakdown alone; "" for what belongs to none."""
    if not row.key:
        return ""
    if dimension.startswith(PROPERTY):
        if len(row.key) > MAX_VALUE:
            return ""
        return state(form, property_name=dimension.removeprefix(PROPERTY), property_value=row.key)
    return state(form, **{_FIELDS.get(dimension, dimension): row.key})


@register.simple_tag
def sort_state(form: DashboardFilter, name: str) -> str:
    """The address that sorts by a column; once more, the other way round."""
    return state(form, sort=f"-{name}" if form.asked["sort"] == name else name)


@register.filter
def sorted_as(form: DashboardFilter, name: str) -> str:
    """How a column is sorted, as ARIA calls it: by numbers the highest come first, so plain is descending."""
    asked = form.asked["sort"]
    if asked.removeprefix("-") != name:
        return "none"
    return "ascending" if asked.startswith("-") != (name == "name") else "descending"


@register.simple_tag
def bucket(start: date, grain: Grain | str = "") -> str:
    """A point in time in full: 3 Nov 2026, Week of 2 Nov 2026, November 2026, Q4 2026."""
    if grain == Grain.DAY:
        return day(start)
    if grain == Grain.WEEK:
        return _("Week of %(day)s") % {"day": day(start)}
    if grain == Grain.QUARTER:
        return _quarter(start, f"{start.year}")
    return str(date_format(start, "F Y"))


@register.simple_tag
def bucket_short(start: date, grain: Grain | str = "") -> str:
    """A point in time on an axis: 3 Nov, Nov, Q4 26."""
    if grain in (Grain.DAY, Grain.WEEK):
        return short_day(start)
    if grain == Grain.QUARTER:
        return _quarter(start, f"{start:%y}")
    return str(date_format(start, "M"))


def _quarter(start: date, year: str) -> str:
    return pgettext("a quarter of a year", "Q%(quarter)d %(year)s") % {
        "quarter": (start.month + 2) // 3, "year": year,
    }  # fmt: skip


@register.filter
def days_of(period: Period) -> str:
    """A period in words: 28 Aug 2026 – 25 Nov 2026."""
    if period.since == period.until:
        return day(period.since)
    if period.since.year == period.until.year:
        return f"{short_day(period.since)} – {day(period.until)}"
    return f"{day(period.since)} – {day(period.until)}"


@register.filter
def named(choices: Any, value: str) -> str:
    """What a choice of a list is called; "" for none."""
    if not value:
        return ""
    for key, label in choices:
        if isinstance(label, list | tuple):
            found = named(label, value)
            if found:
                return found
        elif str(key) == value:
            return str(label)
    return ""


@register.filter
def get(values: Mapping[str, Any], name: str) -> Any:
    """A value by its name."""
    return values.get(name, "")


@register.filter
def dimension_name(dimension: str) -> str:
    """What a breakdown goes by."""
    return dashboard_choices.dimension_name(dimension)


@register.filter
def dimension_title(dimension: str) -> str:
    """The heading of a breakdown."""
    titles = {
        "touchpoint": _("By touchpoint"), "stage": _("By stage"), "survey": _("By survey"),
        "channel": _("By channel"), "language": _("By language"), "segment": _("By segment of contacts"),
        "company": _("By company"), "incentive": _("With incentive or without"),
    }  # fmt: skip
    return titles.get(dimension) or _("By “%(name)s”") % {"name": dimension_name(dimension)}


@register.simple_tag
def trend_title(board: Board) -> str:
    """What the trend shows: NPS by week; or with a rolling window, of how many days each point is made."""
    if board.rolling is not None:
        return _("NPS of %(days)d days each") % {"days": board.rolling}
    return {
        Grain.DAY: _("NPS by day"), Grain.WEEK: _("NPS by week"), Grain.MONTH: _("NPS by month"),
        Grain.QUARTER: _("NPS by quarter"),
    }[board.grain]  # fmt: skip


@register.simple_tag
def partial_name(board: Board) -> str:
    """What an open dot means."""
    return {
        Grain.WEEK: _("Not the whole week"), Grain.MONTH: _("Not the whole month"),
        Grain.QUARTER: _("Not the whole quarter"),
    }.get(board.grain, "")  # fmt: skip


@register.simple_tag
def kept_by(form: DashboardFilter, what: str) -> list[tuple[str, str]]:
    """Names and values that one of the page's small forms hands on: everything but what it asks for itself."""
    own = {"filter": (*FIRST, *OTHERS, "company_id", "rows"), "rolling": ("rolling",), "by": ("by", "sort", "rows")}
    return form.without(*own[what])


@register.simple_tag
def responses_query(form: DashboardFilter) -> str:
    """The query string of the list of responses, as far as it can be narrowed down to the same."""
    asked = form.asked
    values = {
        "touchpoint": asked["touchpoint"], "days": form.shown_days, "channel": asked["channel"],
        "contacts": asked["segment"], "incentive": asked["incentive"],
    }  # fmt: skip
    query = urlencode({name: value for name, value in values.items() if value})
    return f"?{query}" if query else ""


@register.simple_tag
def said(form: DashboardFilter) -> list[tuple[Any, str]]:
    """What the figures are narrowed down to, for whoever has no sign-in: no companies, no values of properties."""
    names = ("touchpoint", "survey", "stage", "channel", "language", "segment", "incentive")
    found = [(form.fields[name].label, named(form[name].field.choices, form.asked[name])) for name in names]  # type: ignore[attr-defined]
    found += [(form.fields["property_name"].label, form.asked["property_name"])]
    found += [(form.fields["company"].label, _("one company") if form.wanted.company_id else "")]
    return [(label, value.removeprefix("– ")) for label, value in found if value]
