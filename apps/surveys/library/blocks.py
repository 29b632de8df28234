"""What ready-made surveys are built from. Pure: no Django."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Texts = dict[str, str]
Row = dict[str, Any]
"""A question or a thank-you page: values of the model's fields, by name."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A survey to begin with. ``touchpoint`` is where on the journey it belongs."""

    key: str
    name: Texts
    touchpoint: Texts
    about: Texts
    questions: tuple[Row, ...]
    thanks: Mapping[str, Row]


def both(en: str, de: str) -> Texts:
    """A text in both languages."""
    return {"en": en, "de": de}


def nps(text: Texts) -> Row:
    """The recommendation as lead."""
    low, high = (
        both("not at all likely", "überhaupt nicht wahrscheinlich"),
        both("extremely likely", "äußerst wahrscheinlich"),
    )
    return _ask("recommend", "nps", text, low_label=low, high_label=high, is_required=True)


def csat(text: Texts) -> Row:
    """Satisfaction as lead."""
    low, high = both("very dissatisfied", "sehr unzufrieden"), both("very satisfied", "sehr zufrieden")
    return _ask("satisfaction", "csat", text, low_label=low, high_label=high, is_required=True)


def ces(text: Texts) -> Row:
    """Effort as lead: a statement that one agrees with or not."""
    low = both("strongly disagree", "stimme überhaupt nicht zu")
    high = both("strongly agree", "stimme voll und ganz zu")
    return _ask("effort", "ces", text, low_label=low, high_label=high, is_required=True)


def comment(text: Texts, *, promoter: Texts, passive: Texts, detractor: Texts) -> Row:
    """The open question, put as fits the score."""
    return _ask("comment", "comment", text, text_promoter=promoter, text_passive=passive, text_detractor=detractor)


def rating(key: str, text: Texts, low: Texts | None = None, high: Texts | None = None, **more: Any) -> Row:
    """One to five, with stars."""
    ends = {"low_label": low or both("poor", "schlecht"), "high_label": high or both("excellent", "ausgezeichnet")}
    return _ask(key, "rating", text, **ends, **{"style": "stars", **more})


def single(key: str, text: Texts, *options: tuple[str, str, str], **more: Any) -> Row:
    """One of several: (key, English, German)."""
    return _ask(key, "single", text, options=_options(options), **more)


def multiple(key: str, text: Texts, *options: tuple[str, str, str], **more: Any) -> Row:
    """Several of several: (key, English, German)."""
    return _ask(key, "multiple", text, options=_options(options), **more)


def words(key: str, text: Texts, **more: Any) -> Row:
    """An answer in one's own words."""
    return _ask(key, "text", text, **more)


def yes_no(key: str, text: Texts, **more: Any) -> Row:
    """Yes or no."""
    return _ask(key, "yes_no", text, **more)


def opt_in(key: str, text: Texts, **more: Any) -> Row:
    """Agreement to e-mail, in the words that are agreed to."""
    return _ask(key, "opt_in", text, **more)


def _ask(key: str, kind: str, text: Texts, **more: Any) -> Row:
    return {"key": key, "kind": kind, "text": text, **more}


def _options(rows: tuple[tuple[str, str, str], ...]) -> list[Row]:
    return [{"key": key, "text": both(en, de)} for key, en, de in rows]


def answered(key: str, *values: str) -> Row:
    """Condition: one of these options was chosen."""
    return {"field": f"answer.{key}", "op": "in", "value": list(values)}


def chosen(key: str, value: str) -> Row:
    """Condition: this option is among those that were chosen."""
    return {"field": f"answer.{key}", "op": "contains", "value": value}


def said(key: str, value: bool) -> Row:
    """Condition: yes (True) or no (False)."""
    return {"field": f"answer.{key}", "op": "eq", "value": value}


def at_most(key: str, value: int) -> Row:
    """Condition: rated so or worse."""
    return {"field": f"answer.{key}", "op": "le", "value": value}


def segment(*segments: str) -> Row:
    """Condition: promoters, passives or detractors."""
    return {"field": "response.segment", "op": "in", "value": list(segments)}


def thanks(*, promoter: Texts, detractor: Texts, passive: Texts | None = None) -> dict[str, Row]:
    """The last pages: promoters are asked to pass it on, detractors are offered a call."""
    plain = both(
        "Your answers have arrived. We read every single one.",
        "Ihre Antworten sind bei uns angekommen. Wir lesen jede einzelne.",
    )
    return {
        "promoter": {
            "heading": both("Thank you, that is good to hear!", "Vielen Dank, das freut uns sehr!"),
            "text": promoter,
        },
        "passive": {
            "heading": both("Thank you for your time!", "Vielen Dank für Ihre Zeit!"),
            "text": passive or plain,
        },
        "detractor": {
            "heading": both("Thank you for being so open.", "Danke für Ihre offenen Worte."),
            "text": detractor,
            "offers_call_back": True,
        },
        "": {"heading": both("Thank you!", "Vielen Dank!"), "text": plain},
    }
