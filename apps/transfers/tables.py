"""A batch of rows as columns of values by target, with all that is wrong with each row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from functools import cached_property, lru_cache
from itertools import compress
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import translation

from apps.common.spreadsheets import restored
from apps.contacts.ledger import home_calendar
from apps.contacts.models import LegalBasis
from apps.messaging.models import Suppression
from apps.transfers import checking
from apps.transfers.checking import Checked
from apps.transfers.fields import PREFIX
from apps.transfers.models import Import
from apps.transfers.reading import Record

WHOLE_ROW = -1
"""The place of a problem that is no single cell's."""
MAX_VALUE = 10_000
MAX_COMMENT = 10_000
_BASES = {
    "consent": LegalBasis.Kind.CONSENT.value,
    "einwilligung": LegalBasis.Kind.CONSENT.value,
    "opt-in": LegalBasis.Kind.CONSENT.value,
    "existing_customer": LegalBasis.Kind.EXISTING_CUSTOMER.value,
    "existing customer": LegalBasis.Kind.EXISTING_CUSTOMER.value,
    "bestandskunde": LegalBasis.Kind.EXISTING_CUSTOMER.value,
}
_YES_NO = {
    **dict.fromkeys(("yes", "true", "1", "y", "ja", "j", "wahr", "x"), "yes"),
    **dict.fromkeys(("no", "false", "0", "n", "nein", "falsch"), "no"),
}
_LIMITS = {
    "external_id": 200, "response_id": 200, "name": 200, "first_name": 100, "last_name": 99,
    "company_external_id": 200, "company_name": 200, "basis_source": 120, "basis_text_version": 60, "source": 120,
    "tags": 500, "comment": MAX_COMMENT,
}  # fmt: skip
_NEEDED: dict[str, list[tuple[tuple[str, ...], str]]] = {
    Import.Kind.CONTACTS: [(("external_id", "email"), "no_identity")],
    Import.Kind.RESPONSES: [(("answered_at",), "no_time"), (("score", "comment"), "no_score")],
    Import.Kind.COMPANIES: [(("external_id",), "no_company_id")],
    Import.Kind.SUPPRESSIONS: [(("address",), "no_address")],
}
"""What every row needs: one of some targets, and the code where all are empty."""
_SIMPLE = {
    "email": (checking.emails, "email"),
    "locale": (checking.locales, "locale"),
    "time_zone": (checking.zones, "time_zone"),
    "country": (checking.countries, "country"),
    "score": (checking.scores, "score"),
    "incentivised": (checking.choices(_YES_NO), "yes_no"),
    "basis_kind": (checking.choices(_BASES), "basis"),
}


@dataclass(slots=True)
class Layout:
    """Where what stands in a file, and how to read it."""

    kind: str
    width: int
    places: dict[str, int]
    properties: list[tuple[str, int]]
    options: Mapping[str, Any]
    home: str
    """The country of telephone numbers that do not say it."""
    zone: tzinfo
    latest: datetime


def layout_of(source: Import, *, now: datetime) -> Layout:
    """An import's columns as they were mapped. One query."""
    calendar = home_calendar()
    mapping = list(enumerate(source.mapping))
    return Layout(
        kind=source.kind,
        width=len(source.headers),
        places={target: place for place, target in mapping if target and not target.startswith(PREFIX)},
        properties=[(target[len(PREFIX) :], place) for place, target in mapping if target.startswith(PREFIX)],
        options=source.options,
        home=source.options.get("country") or calendar.country,
        zone=ZoneInfo(calendar.zone),
        latest=now,
    )


@dataclass(slots=True)
class Table:
    """Rows by column. ``values`` holds a list per target, ``properties`` what else is known of each row."""

    numbers: list[int]
    cells: list[list[str]]
    values: dict[str, list[str]] = field(default_factory=dict)
    properties: list[dict[str, str]] = field(default_factory=list)
    bad: dict[int, list[tuple[int, str]]] = field(default_factory=dict)
    """Place of the row in the batch → places of columns, and codes of what is wrong."""
    unreadable: list[tuple[int, list[str], str]] = field(default_factory=list)
    """Rows that are none: their number, their cells as far as there are any, and a code."""

    def column(self, target: str) -> list[str]:
        """A target's values; empty ones where no column has it."""
        return self.values.get(target) or [""] * len(self.numbers)

    def note(self, rows: Sequence[int], column: int, code: str) -> None:
        """Something is wrong with these rows."""
        for row in rows:
            self.bad.setdefault(row, []).append((column, code))

    def problems(self) -> list[tuple[int, list[str], list[tuple[int, str]]]]:
        """All rows with problems: number, cells, problems."""
        found = [(number, cells, [(WHOLE_ROW, code)]) for number, cells, code in self.unreadable]
        found += [(self.numbers[row], self.cells[row], problems) for row, problems in self.bad.items()]
        return sorted(found, key=lambda one: one[0])

    def good(self) -> "Table":
        """The rows without problems."""
        return self.only([row not in self.bad for row in range(len(self.numbers))]) if self.bad else self

    def only(self, wanted: Sequence[bool]) -> "Table":
        """Some of the rows."""
        return Table(
            numbers=list(compress(self.numbers, wanted)),
            cells=list(compress(self.cells, wanted)),
            values={target: list(compress(column, wanted)) for target, column in self.values.items()},
            properties=list(compress(self.properties, wanted)),
        )


def table_of(records: Sequence[Record], layout: Layout) -> Table:
    """The rows' values, checked."""
    return _Checker(records, layout).table


class _Checker:
    """Fills a table column by column."""

    def __init__(self, records: Sequence[Record], layout: Layout) -> None:
        self.layout = layout
        self.table = _readable(records, layout.width)
        self.columns = list(zip(*self.table.cells, strict=True)) if self.table.cells else [()] * layout.width
        for target, place in layout.places.items():
            if target not in {"region", "phone", "address"}:
                self._check(target, place)
        self._check_late()
        self._join_names()
        self._read_properties()
        self._require()

    def _text(self, place: int) -> list[str]:
        """A column without spaces around, and without the mark that an export puts before what looks like a formula."""
        column = [cell.strip() for cell in self.columns[place]]
        if "'" in "".join(column):
            column = [restored(cell) for cell in column]
        return column

    def _check(self, target: str, place: int) -> None:
        values = self._text(place)
        if target in {"answered_at", "basis_granted_at"}:
            self._times(target, place, values)
        elif target == "reason":
            self._keep(target, place, checking.choices(_reasons())(values), "reason")
        elif target in _SIMPLE:
            check, code = _SIMPLE[target]
            self._keep(target, place, check(values), code)
        else:
            self._keep(target, place, checking.texts(_LIMITS[target])(values), "too_long")

    def _times(self, target: str, place: int, values: list[str]) -> None:
        layout = self.layout
        day_first = bool(layout.options.get("day_first"))
        found, wrong, ahead = checking.moments(values, zone=layout.zone, day_first=day_first, latest=layout.latest)
        self._keep(target, place, (found, wrong), "time")
        self.table.note(ahead, place, "future")

    def _check_late(self) -> None:
        """What depends on the rows' countries."""
        places, given = self.layout.places, self._countries
        if "region" in places:
            checked = checking.regions(self._text(places["region"]), given)
            self._keep("region", places["region"], checked, "region")
        at_home = [country or self.layout.home for country in given]
        for target, code in (("phone", "phone"), ("address", "address")):
            if target in places:
                check = checking.telephones if target == "phone" else checking.addresses
                self._keep(target, places[target], check(self._text(places[target]), at_home), code)

    @cached_property
    def _countries(self) -> list[str]:
        return self.table.column("country")

    def _keep(self, target: str, place: int, checked: Checked, code: str) -> None:
        self.table.values[target] = checked[0]
        self.table.note(checked[1], place, code)

    def _join_names(self) -> None:
        values = self.table.values
        if "first_name" in values or "last_name" in values:
            parts = zip(self.table.column("first_name"), self.table.column("last_name"), strict=True)
            joined = [f"{first} {last}".strip() for first, last in parts]
            values["name"] = [name or both for name, both in zip(self.table.column("name"), joined, strict=True)]

    def _read_properties(self) -> None:
        kept = []
        for _key, place in self.layout.properties:
            values, wrong = checking.texts(MAX_VALUE)(self._text(place))
            self.table.note(wrong, place, "too_long")
            kept.append(values)
        keys = [key for key, _place in self.layout.properties]
        if keys:
            self.table.properties = [
                {key: value for key, value in zip(keys, row, strict=True) if value} for row in zip(*kept, strict=True)
            ]
        else:
            self.table.properties = [{} for _row in self.table.numbers]

    def _require(self) -> None:
        """What every row needs. A row whose value was wrong is told that, and not that it has none."""
        for targets, code in _NEEDED[self.layout.kind]:
            self._one_of(targets, code)
        if "basis_kind" in self.table.values:
            kinds = self.table.values["basis_kind"]
            self._with_basis("basis_source", "source", "no_source", [bool(kind) for kind in kinds])
            customers = [kind == LegalBasis.Kind.EXISTING_CUSTOMER for kind in kinds]
            self._with_basis("basis_text_version", "text_version", "no_notice", customers)

    def _with_basis(self, target: str, option: str, code: str, rows: Sequence[bool]) -> None:
        """These rows need something said with their legal basis, by themselves or for the whole file."""
        if not (self.layout.options.get("legal_basis") or {}).get(option):
            pairs = enumerate(zip(rows, self.table.column(target), strict=True))
            self.table.note([row for row, (is_needed, told) in pairs if is_needed and not told], WHOLE_ROW, code)

    def _one_of(self, targets: Sequence[str], code: str) -> None:
        columns = [self.table.column(target) for target in targets]
        empty = [row for row, values in enumerate(zip(*columns, strict=True)) if not any(values)]
        self.table.note([row for row in empty if row not in self.table.bad], WHOLE_ROW, code)


@lru_cache(maxsize=1)
def _reasons() -> dict[str, str]:
    """Reasons of suppressions by their codes, and by their names in all our languages."""
    found = {value: value for value in Suppression.Reason.values}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            found |= {str(label).lower(): value for value, label in Suppression.Reason.choices}
    return found


def _readable(records: Sequence[Record], width: int) -> Table:
    """The rows that have as many cells as the file has columns; missing ones at the end are empty."""
    numbers: list[int] = []
    rows: list[list[str]] = []
    table = Table(numbers, rows)
    for number, cells, raw in records:
        if cells is None:
            table.unreadable.append((number, [raw.replace("\x00", "�")], "unreadable"))
            continue
        if len(cells) != width:
            if len(cells) > width and any(cells[width:]):
                table.unreadable.append((number, cells, "too_many_cells"))
                continue
            cells = [*cells[:width], *[""] * (width - len(cells))]  # noqa: PLW2901
        if "\x00" in "".join(cells):
            table.unreadable.append((number, [cell.replace("\x00", "�") for cell in cells], "nul"))
            continue
        numbers.append(number)
        rows.append(cells)
    return table
