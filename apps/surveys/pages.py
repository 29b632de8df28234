"""What a respondent sees, as HTML: a page of questions, the thanks, or that there is nothing to answer.

One request and a logo: styles and script stand in the page. Every page works without script; the script only spares
the reload. The same templates serve personal and public links, frames, kiosks and the editor's preview.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.template.loader import get_template
from django.urls import reverse
from django.utils import translation
from django.utils.html import escape
from django.utils.translation import gettext as _

from apps.common.colours import text_on
from apps.common.segments import segment_of
from apps.common.texts import localized
from apps.surveys import definition as survey
from apps.surveys.definition import Answers, Definition, Facts, Question, Texts
from apps.surveys.models import Theme

_THEME = ("brand_name", "accent", "on_accent", "font", "imprint_url", "privacy_url", "logo_digest")
# Not to be guessed, so that no tenant's text can hold it.
_MARK = f"m{secrets.token_hex(8)}-"
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


def render_page(sheet: Sheet) -> str:
    """The questions of one page that are shown with the answers so far.

    What a mail's or a website's visitors see first differs only in addresses and secrets: it is rendered once.
    """
    given = _given_by_link(sheet)
    if given is None:
        return _render_page(sheet)
    theme = tuple(getattr(sheet.theme, name) for name in _THEME)
    words = localized(sheet.touchpoint, sheet.language)
    own = (sheet.kiosk_url, sheet.is_embedded, bool(sheet.trap), tuple(sheet.hidden), tuple(sheet.languages))
    shell = _shell(sheet.definition, theme, sheet.language, words, given, own)
    values = {"nonce": sheet.nonce, "action": sheet.action, "trap": sheet.trap}
    values |= {f"hidden-{name}": value for name, value in sheet.hidden.items()}
    values |= {f"language-{code}": url for code, url in sheet.languages.items()}
    for name, value in values.items():
        shell = shell.replace(_mark(name), escape(value))
    return shell


def _given_by_link(sheet: Sheet) -> str | None:
    """The score that a link brings to a page nobody has answered yet, "" without one; None for any other page."""
    lead = sheet.definition.lead
    if sheet.page or sheet.answers or sheet.errors or sheet.is_preview or sheet.was_answered or lead is None:
        return None
    given = (sheet.typed.get(lead.field_name) or [""])[0]
    low, high = lead.bounds
    known = given.isascii() and given.isdigit() and given == str(int(given)) and low <= int(given) <= high
    return given if known else ""


@lru_cache(maxsize=1000)
def _shell(
    definition: Definition, theme: tuple[str, ...], language: str, touchpoint: str, given: str, own: tuple[Any, ...]
) -> str:
    """The first page with marks where addresses and secrets go."""
    kiosk_url, is_embedded, has_trap, hidden, languages = own
    lead = definition.lead
    sheet = Sheet(
        definition,
        Theme(**dict(zip(_THEME, theme, strict=True))),
        language,
        touchpoint={language: touchpoint},
        typed={lead.field_name: [given]} if lead and given else {},
        hidden={name: _mark(f"hidden-{name}") for name in hidden},
        action=_mark("action"),
        trap=_mark("trap") if has_trap else "",
        languages={code: _mark(f"language-{code}") for code in languages},
        kiosk_url=kiosk_url,
        is_embedded=is_embedded,
        nonce=_mark("nonce"),
    )
    return _render_page(sheet)


def _mark(name: str) -> str:
    return f"{_MARK}{name}."


def _render_page(sheet: Sheet) -> str:
    shown = {question.key for question in survey.walk(sheet.definition, sheet.answers, sheet.facts)}
    page = sheet.definition.pages[sheet.page] if sheet.page < len(sheet.definition.pages) else ()
    with translation.override(sheet.language):
        questions = [_question(sheet, question) for question in page if question.key in shown]
        context = {
            "questions": questions,
            "touchpoint": localized(sheet.touchpoint, sheet.language) if sheet.page == 0 else "",
            "title": questions[0]["text"] if questions else sheet.theme.brand_name,
            # What only a segment is asked may lie ahead: "Send" would promise the end.
            "may_go_on": len(sheet.definition.pages) > sheet.page + 1,
        }
        return _render("survey/page.html", sheet, context)


def render_thanks(sheet: Sheet) -> str:
    """The thanks for what was answered, in the words for its segment."""
    segment = survey.segment_of_answers(sheet.definition, sheet.answers)
    thanks = sheet.definition.thanks_for(segment)
    with translation.override(sheet.language):
        text = localized(thanks.text, sheet.language) or _default_thanks(segment)
        context = {
            "heading": localized(thanks.heading, sheet.language) or _("Thank you!"),
            "paragraphs": [part.strip() for part in text.replace("\r\n", "\n").split("\n\n") if part.strip()],
            "button": localized(thanks.button_label, sheet.language),
            "button_url": thanks.button_url,
            "offers_call_back": thanks.offers_call_back and sheet.call_back_url,
        }
        return _render("survey/thanks.html", sheet, context)


def render_message(*, theme: Theme, language: str, heading: str, text: str, nonce: str, is_embedded: bool) -> str:
    """A page that has nothing to answer."""
    sheet = Sheet(load_nothing(), theme, language, nonce=nonce, is_embedded=is_embedded)
    with translation.override(language):
        return _render("survey/message.html", sheet, {"heading": heading, "text": text})


def load_nothing() -> Definition:
    """A survey without questions."""
    return survey.load({})


def _default_thanks(segment: str) -> str:
    return {
        "promoter": _("We are glad that you are happy with us. Your answer has been saved."),
        "passive": _("Your answer has been saved. It helps us to become better."),
        "detractor": _("We are sorry that we fell short. Your answer has been saved, and somebody here will read it."),
    }.get(segment) or _("Your answer has been saved.")


def _render(template: str, sheet: Sheet, context: Mapping[str, Any]) -> str:
    theme = sheet.theme
    page = {
        "s": sheet,
        "theme": theme,
        "on_accent": theme.on_accent or text_on(theme.accent),
        "logo": reverse("surveys:logo", args=[theme.logo_digest]) if theme.logo_digest else "",
        "languages": [(code, _LANGUAGE_NAMES[code], url) for code, url in sheet.languages.items()],
        **context,
    }
    return get_template(template).render(page)


_LANGUAGE_NAMES = {"en": "English", "de": "Deutsch"}


def _question(sheet: Sheet, question: Question) -> dict[str, Any]:
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
