"""A page before it is HTML: what it is made from, and its questions as the templates want them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from apps.common.segments import segment_of
from apps.common.texts import localized
from apps.surveys import definition as survey
from apps.surveys.definition import Answers, Definition, Facts, Question, Texts
from apps.surveys.models import Theme

WORDINGS = ("promoter", "passive", "detractor")
# Corner, middle and corner of the mouth of each smiley, from very unhappy to very happy.
_MOUTHS = (
    "17Q12 12 16.5 17",
    "16.5Q12 14 16.5 16.5",
    "15.5Q12 15.5 16.5 15.5",
    "14.5Q12 17 16.5 14.5",
    "14Q12 19 16.5 14",
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that one page is made from. ``answers`` are those given so far, ``errors`` sentences by field name."""

    definition: Definition
    theme: Theme
    language: str
    page: int = 0
    answers: Answers = field(default_factory=dict)
    facts: Facts = field(default_factory=dict)
    touchpoint: Texts = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    typed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What was posted and could not be taken, by field name: shown again as it was."""
    hidden: Mapping[str, str] = field(default_factory=dict)
    action: str = ""
    trap: str = ""
    """An address that no human sees."""
    languages: Mapping[str, str] = field(default_factory=dict)
    """Other languages of the survey: code → address."""
    change_url: str = ""
    call_back_url: str = ""
    call_back: str = ""
    kiosk_url: str = ""
    """Set where the page is a kiosk's: where it begins anew."""
    is_embedded: bool = False
    is_preview: bool = False
    wants_address: bool = False
    """Whether agreement to e-mail needs an address: nobody knows who answers."""
    was_answered: bool = False
    nonce: str = ""


def question_of(sheet: Sheet, question: Question) -> dict[str, Any]:
    """A question as its template wants it."""
    language, name = sheet.language, question.field_name
    given = sheet.typed[name] if name in sheet.typed else _given(sheet.answers.get(question.key))
    segment = survey.segment_of_answers(sheet.definition, sheet.answers)
    text = localized(question.text, language)
    worded = {s: localized(question.wording.get(s), language) or text for s in WORDINGS}
    is_lead = question is sheet.definition.lead
    # Beside the lead the words follow what is chosen there; later they are known.
    follows = sheet.page == 0 and not is_lead and bool(question.wording)
    result = {
        "name": name,
        "kind": question.kind,
        "style": question.style if question.kind in (survey.CSAT, survey.RATING) else "numbers",
        "text": text if follows or not segment or is_lead else worded[segment],
        "wordings": list(worded.items()) if follows else [],
        "is_lead": is_lead,
        "is_required": question.is_required,
        "given": given[0] if given else "",
        "error": sheet.errors.get(name, ""),
    }
    if question.is_number:
        result |= _numbers(question, given, language)
    elif question.kind == survey.OPT_IN:
        result |= _agreement(sheet, question)
    elif question.kind in survey.CHOICES:
        result["options"] = [(o.key, localized(o.text, language), o.key in given) for o in question.options]
    return result


def styles_of(questions: Sequence[Mapping[str, Any]]) -> dict[str, bool]:
    """Which parts of the style sheet these questions need."""
    lengths = {len(question.get("numbers", ())) for question in questions} - {0}
    return {
        "has_scale": bool(lengths),
        "has_wide": max(lengths, default=0) > 7,
        "has_odd": bool(lengths - {5, 11}),
        "has_faces": any(question["style"] != "numbers" for question in questions),
        "has_choices": any(q["kind"] in survey.CHOICES | {survey.YES_NO, survey.OPT_IN} for q in questions),
        "has_wordings": any(question["wordings"] for question in questions),
    }


def _agreement(sheet: Sheet, question: Question) -> dict[str, Any]:
    """Whether the box is ticked, and the address beside it."""
    value = sheet.answers.get(question.key)
    field_name = f"{question.field_name}-email"
    typed = sheet.typed.get(field_name)
    address = typed[0] if typed else value if isinstance(value, str) else ""
    ticked = sheet.typed.get(question.field_name, ["yes" if value else "no"])[-1:] == ["yes"]
    wants_address = sheet.wants_address and not sheet.definition.is_anonymous
    return {"is_ticked": ticked, "address_name": field_name if wants_address else "", "address": address}


def _given(value: Any) -> list[str]:
    if value is None:
        return []
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    return [str(part) for part in value] if isinstance(value, list) else [str(value)]


def _numbers(question: Question, given: Sequence[str], language: str) -> dict[str, Any]:
    low, high = question.bounds
    numbers = [
        {"value": str(n), "is_given": str(n) in given, "tone": _tone(question.kind, n), "mouth": _mouth(n, low, high)}
        for n in range(low, high + 1)
    ]
    low_label, high_label = ends_of(question, language)
    return {"numbers": numbers, "high": high, "low_label": low_label, "high_label": high_label}


def _tone(kind: str, value: int) -> str:
    """Whose words the comment beside the lead takes."""
    if kind == survey.NPS:
        return segment_of(value)
    happy, middle = (4, 3) if kind == survey.CSAT else (5, 4)
    return "promoter" if value >= happy else "passive" if value >= middle else "detractor"


def _mouth(value: int, low: int, high: int) -> str:
    return _MOUTHS[round((value - low) / max(1, high - low) * (len(_MOUTHS) - 1))]


def ends_of(question: Question, language: str) -> tuple[str, str]:
    """What the lowest and the highest number mean: the survey's own words, else the usual ones."""
    with translation.override(language):
        low, high = _ends(question.kind, *question.bounds)
    return localized(question.low_label, language) or low, localized(question.high_label, language) or high


def _ends(kind: str, low: int, high: int) -> tuple[str, str]:
    if kind == survey.NPS:
        return _("0 – not at all likely"), _("10 – extremely likely")
    if kind == survey.CSAT:
        return _("very dissatisfied"), _("very satisfied")
    if kind == survey.CES:
        return _("1 – strongly disagree"), _("7 – strongly agree")
    return (_("1 – poor"), _("5 – excellent")) if (low, high) == (1, 5) else ("", "")
