"""What conditions of campaigns may be about, for the condition builder."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from apps.campaigns.names import FIELDS, Names, title
from apps.campaigns.sequence import BRANCH_CATALOGUE, ENTRY_CATALOGUE
from apps.responses.models import Response
from apps.surveys.models import Question
from apps.triggers.admin.vocabulary import MAX_PROPERTIES, RECENT, Seen, frame, people

_NUMBERS = frozenset({"nps", "csat", "ces", "rating", "scale", "yes_no", "opt_in"})


def vocabulary(names: Names, *, is_entry: bool) -> dict[str, Any]:
    """All that the builder needs to know, as JSON. Two queries."""
    catalogue = ENTRY_CATALOGUE if is_entry else BRANCH_CATALOGUE
    groups = [_known(_("Response"), "response", catalogue.fields, names), _answers(names), _properties()]
    if not is_entry:
        since = ("again", "case", "voucher", "mail")
        fields = [field for root in since for field in _known("", root, catalogue.fields, names)["fields"]]
        groups.append({"root": "again", "label": _("What happened since"), "fields": fields, "other": ""})
    always = _("Everybody who fits the above.") if is_entry else _("No condition yet.")
    return {"groups": [*(group for group in groups if group["fields"] or group["other"]), *people()], **frame(always)}


def _known(label: str, root: str, fields: Any, names: Names) -> dict[str, Any]:
    found = []
    for name, kind in fields.items():
        if name.partition(".")[0] != root:
            continue
        field = {"name": name, "label": str(FIELDS[name]), "kind": str(kind), "examples": []}
        if names.choices.get(name):
            field["choices"] = [[value, words] for value, words in names.choices[name].items()]
        found.append(field)
    return {"root": root, "label": label, "fields": found, "other": ""}


def _answers(names: Names) -> dict[str, Any]:
    fields = [_answer(key, question, names) for key, question in names.questions.items() if question.kind != "nps"]
    return {"root": "answer", "label": _("Answers"), "fields": fields, "other": _("another question …")}


def _answer(key: str, question: Question, names: Names) -> dict[str, Any]:
    name = f"answer.{key}"
    kind = "number" if question.kind in _NUMBERS else "text"
    field: dict[str, Any] = {"name": name, "label": title(question), "kind": kind, "examples": []}
    if names.choices.get(name):
        field["choices"] = [[value, words] for value, words in names.choices[name].items()]
    return field


def _properties() -> dict[str, Any]:
    """Properties that came with responses lately. One query."""
    seen: dict[str, Seen] = {}
    for properties in Response.objects.order_by("-id").values_list("properties", flat=True)[:RECENT]:
        for name, value in _items(properties):
            if "." not in name and ENTRY_CATALOGUE.kind_of(f"property.{name}") is not None:
                seen.setdefault(name, Seen()).add(value)
    fields = [
        {"name": f"property.{name}", "label": name, "kind": found.kind, "examples": found.examples}
        for name, found in sorted(seen.items())[:MAX_PROPERTIES]
        if found.kinds
    ]
    other = _("another property of the response …")
    return {"root": "property", "label": _("Property of the response"), "fields": fields, "other": other}


def _items(properties: object) -> Iterable[tuple[str, object]]:
    return properties.items() if isinstance(properties, dict) else ()
