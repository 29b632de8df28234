"""What a condition may be about, for the builder: fields, operators, and what events and contacts lately had."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from apps.common.conditions import OPERATORS, SEGMENT_OPERATORS, Catalogue, Kind
from apps.contacts.models import Contact
from apps.touchpoints.models import Event, Touchpoint
from apps.triggers.models import Segment
from apps.triggers.problems import operator_in_words
from apps.triggers.rules import CATALOGUE, SEGMENT_CATALOGUE
from apps.triggers.sentences import FIELDS

RECENT = 500
MAX_PROPERTIES = 100
EXAMPLES = 8
SHORT = 60
# Groups that hold one comparison within the other; deeper ones are kept, but not shown as rows.
MAX_DEPTH = 4
# Contacts' own columns whose values are few enough to be offered.
_COLUMNS = ("country", "region", "locale", "time_zone")

Field = dict[str, Any]


class Seen:
    """The values that one field had lately."""

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.values: Counter[str] = Counter()

    def add(self, value: object) -> None:
        """Count a value; what is no single value is left out."""
        kind = kind_of(value)
        if kind is None:
            return
        self.kinds[kind] += 1
        if kind in {Kind.TEXT, Kind.NUMBER} and 0 < len(str(value)) <= SHORT:
            self.values[str(value)] += 1

    @property
    def kind(self) -> str:
        """What it was most often."""
        return self.kinds.most_common(1)[0][0]

    @property
    def examples(self) -> list[str]:
        """Frequent values. One that was seen only once may be somebody's name or number: it is not shown around."""
        return [value for value, count in self.values.most_common(EXAMPLES) if count > 1]


def kind_of(value: object) -> str | None:
    """The kind of a JSON value; None if it cannot be compared."""
    if isinstance(value, bool):
        return str(Kind.BOOL)
    if isinstance(value, int | float):
        return str(Kind.NUMBER)
    if not isinstance(value, str):
        return None
    try:
        # Also reads "20260101", which is as likely an order's number.
        is_time = len(value) >= 10 and value[4:5] == "-" and bool(datetime.fromisoformat(value))
    except ValueError:
        is_time = False
    return str(Kind.TIME if is_time else Kind.TEXT)


def vocabulary(*, for_segment: bool) -> dict[str, Any]:
    """All that the builder needs to know, as JSON. Four queries."""
    catalogue = SEGMENT_CATALOGUE if for_segment else CATALOGUE
    seen = _seen(with_events=not for_segment)
    groups = [
        _group(root, label, other, catalogue, seen)
        for root, label, other in (
            ("event", _("Event"), _("another property of the event …")),
            ("contact", _("Contact"), _("another property of the contact …")),
            ("company", _("Company"), _("another property of the company …")),
            ("history", _("History"), ""),
        )
    ]
    if not for_segment:
        groups.append(_segments())
    always = _("No condition: all contacts belong to it.") if for_segment else _("No condition: it always holds.")
    return {"groups": [group for group in groups if group["fields"]], **frame(always)}


def people() -> list[dict[str, Any]]:
    """What conditions may say of contacts and companies. One query."""
    seen = _seen(with_events=False)
    return [
        _group(root, label, other, SEGMENT_CATALOGUE, seen)
        for root, label, other in (
            ("contact", _("Contact"), _("another property of the contact …")),
            ("company", _("Company"), _("another property of the company …")),
        )
    ]


def frame(always: str) -> dict[str, Any]:
    """All but the fields. ``always`` is what no condition means."""
    return {
        "ops": _operators(),
        "kinds": [
            [str(Kind.TEXT), _("text")],
            [str(Kind.NUMBER), _("number")],
            [str(Kind.TIME), _("date")],
            [str(Kind.BOOL), _("yes or no")],
        ],
        "modes": [
            ["all", _("All of these hold")],
            ["any", _("At least one of these holds")],
            ["none", _("None of these holds")],
        ],
        "maxDepth": MAX_DEPTH,
        "texts": {"always": always, **_texts()},
    }


def _group(root: str, label: str, other: str, catalogue: Catalogue, seen: dict[str, Seen]) -> dict[str, Any]:
    """The known fields of one root, then the properties that were seen."""
    fields: list[Field] = []
    for name, kind in catalogue.fields.items():
        if name.partition(".")[0] == root:
            examples = seen[name].examples if name in seen else []
            fields.append({"name": name, "label": str(FIELDS[name]), "kind": str(kind), "examples": examples})
            if name == "event.touchpoint":
                fields[-1]["choices"] = [[place.key, str(place)] for place in Touchpoint.objects.all()]
    if root in catalogue.open_roots:
        known = catalogue.fields
        found = sorted(name for name in seen if name.partition(".")[0] == root and name not in known)
        fields += [
            {"name": name, "label": name.partition(".")[2], "kind": seen[name].kind, "examples": seen[name].examples}
            for name in found[:MAX_PROPERTIES]
        ]
    return {"root": root, "label": label, "fields": fields, "other": other if root in catalogue.open_roots else ""}


def _segments() -> dict[str, Any]:
    choices = [[key, name] for key, name in Segment.objects.values_list("key", "name")]
    field = {"name": "segment", "label": str(FIELDS["segment"]), "kind": "segment", "choices": choices}
    return {"root": "segment", "label": _("Segment"), "fields": [field] if choices else [], "other": ""}


def _operators() -> dict[str, list[list[str]]]:
    """Per kind the operators with their words, as they stand between field and value."""
    ops = {
        str(kind): [[str(op), operator_in_words(op)] for op in OPERATORS[kind]]
        for kind in (Kind.TEXT, Kind.NUMBER, Kind.TIME, Kind.BOOL)
    }
    return {**ops, "segment": [[str(op), operator_in_words(op)] for op in SEGMENT_OPERATORS]}


def _seen(*, with_events: bool) -> dict[str, Seen]:
    """Field name → what it was lately, over the latest events and contacts."""
    found: dict[str, Seen] = defaultdict(Seen)
    if with_events:
        events = Event.objects.order_by("-occurred_at").values_list("source", "properties")
        for source, properties in events[:RECENT]:
            found["event.source"].add(source)
            _look(found, "event", properties)
    people = Contact.objects.order_by("-id").values("properties", "company__properties", "company__country", *_COLUMNS)
    for row in people[:RECENT]:
        for name in _COLUMNS:
            found[f"contact.{name}"].add(row[name])
        found["company.country"].add(row["company__country"])
        _look(found, "contact", row["properties"])
        _look(found, "company", row["company__properties"])
    return {name: seen for name, seen in found.items() if seen.kinds}


def _look(found: dict[str, Seen], root: str, properties: object) -> None:
    items: Iterable[tuple[str, object]] = properties.items() if isinstance(properties, dict) else ()
    for name, value in items:
        if CATALOGUE.kind_of(f"{root}.{name}") is not None and "." not in name:
            found[f"{root}.{name}"].add(value)


def _texts() -> dict[str, str]:
    return {
        "mode": _("How the comparisons below are combined"),
        "group": _("Group of comparisons"),
        "comparison": _("Comparison {number}"),
        "field": _("What is compared"),
        "choose": _("choose …"),
        "property": _("Name of the property"),
        "kind": _("Kind of the property"),
        "operator": _("How it is compared"),
        "value": _("Value"),
        "low": _("Lowest value"),
        "high": _("Highest value"),
        "to": _("to"),
        "yes": _("yes"),
        "no": _("no"),
        "add_value": _("Add a value"),
        "remove_value": _("Remove {value}"),
        "add_row": _("Add a comparison"),
        "add_group": _("Add a group"),
        "remove": _("Remove"),
        "remove_comparison": _("Remove comparison {number}"),
        "remove_group": _("Remove this group"),
        "remove_kept": _("Remove this part"),
        "kept": _("This part cannot be shown as rows; it is kept as it is."),
    }
