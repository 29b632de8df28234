"""What a respondent sees, as HTML: a page of questions, the thanks, or that there is nothing to answer.

One request and a logo: styles and script stand in the page. Every page works without script; the script only spares
the reload. The same templates serve personal and public links, frames, kiosks and the editor's preview.
"""

import re
import secrets
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.template.loader import get_template
from django.urls import reverse
from django.utils import translation
from django.utils.html import escape
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

from apps.common.colours import text_on
from apps.common.texts import localized
from apps.surveys import definition as survey
from apps.surveys.definition import Definition
from apps.surveys.models import Theme
from apps.surveys.sheets import Sheet, question_of, styles_of

_THEME = ("brand_name", "accent", "on_accent", "font", "imprint_url", "privacy_url", "logo_digest")
_SCRIPT = re.compile(r"<script.*</script>", re.DOTALL)
_SPACED = re.compile(r" (?:=>|=|===|!==|&&|\|\|) | ?[,;{}] ?")
"""What needs no spaces around it. Selectors such as ``[data-lead] :checked`` keep theirs."""
# Not to be guessed, so that no tenant's text can hold it.
_MARK = f"m{secrets.token_hex(8)}-"
_FONTS = {
    "sans": 'system-ui,"Segoe UI",Roboto,Helvetica,Arial,sans-serif',
    "serif": 'Georgia,Cambria,"Times New Roman",serif',
    "rounded": 'ui-rounded,"Hiragino Maru Gothic ProN",Quicksand,Nunito,system-ui,sans-serif',
    "mono": "ui-monospace,Menlo,Consolas,monospace",
}


def render_page(sheet: Sheet) -> str:
    """The questions of one page that are shown with the answers so far.

    What a mail's or a website's visitors see first differs only in addresses and secrets: it is rendered once.
    """
    given = _given_by_link(sheet)
    if given is None:
        return _render_page(sheet)
    theme = tuple(getattr(sheet.theme, name) for name in _THEME)
    words = localized(sheet.touchpoint, sheet.language)
    own = (bool(sheet.kiosk_url), sheet.is_embedded, bool(sheet.trap), tuple(sheet.hidden), tuple(sheet.languages))
    shell = _shell(sheet.definition, theme, sheet.language, words, given, own)
    values = {"nonce": sheet.nonce, "action": sheet.action, "trap": sheet.trap, "kiosk": sheet.kiosk_url}
    values |= {f"hidden-{name}": value for name, value in sheet.hidden.items()}
    values |= {f"language-{code}": url for code, url in sheet.languages.items()}
    for name, value in values.items():
        shell = shell.replace(_mark(name), escape(value))
    return shell


def _given_by_link(sheet: Sheet) -> str | None:
    """The score that a link brings to a page nobody has answered yet, "" without one; None for any other page."""
    lead = sheet.definition.lead
    first = sheet.definition.pages[0] if sheet.definition.pages else ()
    if any(question.key in sheet.definition.conditions for question in first):
        return None  # Who asks decides what is asked.
    if sheet.page or sheet.answers or sheet.errors or sheet.is_preview or sheet.was_answered or lead is None:
        return None
    given = (sheet.typed.get(lead.field_name) or [""])[0]
    low, high = lead.bounds
    return given if given in {str(number) for number in range(low, high + 1)} else ""


@lru_cache(maxsize=1000)
def _shell(
    definition: Definition, theme: tuple[str, ...], language: str, touchpoint: str, given: str, own: tuple[Any, ...]
) -> str:
    """The first page with marks where addresses and secrets go."""
    is_kiosk, is_embedded, has_trap, hidden, languages = own
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
        kiosk_url=_mark("kiosk") if is_kiosk else "",
        is_embedded=is_embedded,
        nonce=_mark("nonce"),
    )
    # Nothing that anybody typed stands in it: lines may lose their indentation, our script its spaces.
    page = re.sub(r"\n\s+", "\n", _render_page(sheet))
    return _SCRIPT.sub(lambda script: _SPACED.sub(lambda sign: sign[0].strip(), script[0]), page)


def _mark(name: str) -> str:
    return f"{_MARK}{name}."


def _render_page(sheet: Sheet) -> str:
    shown = {question.key for question in survey.walk(sheet.definition, sheet.answers, sheet.facts)}
    page = sheet.definition.pages[sheet.page] if sheet.page < len(sheet.definition.pages) else ()
    with translation.override(sheet.language):
        questions = [question_of(sheet, question) for question in page if question.key in shown]
        context = {
            "questions": questions,
            "touchpoint": localized(sheet.touchpoint, sheet.language) if sheet.page == 0 else "",
            "incentive": localized(sheet.definition.incentive, sheet.language) if sheet.page == 0 else "",
            "title": questions[0]["text"] if questions else sheet.theme.brand_name,
            # What only a segment is asked may lie ahead: "Send" would promise the end.
            "may_go_on": len(sheet.definition.pages) > sheet.page + 1,
            **styles_of(questions),
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


def render_call_back(sheet: Sheet, number: str) -> str:
    """Where the contact asks to be called, or sees that we know, with the number that stands in the form."""
    with translation.override(sheet.language):
        if sheet.call_back and not sheet.errors:
            heading = _("Thank you, we will call you.")
            text = _("We have noted: %(wish)s. If anything changes, just write it here.") % {"wish": sheet.call_back}
        else:
            heading = _("May we call you?")
            text = _("Leave your number, and somebody who can help will get in touch.")
        return _render("survey/call_back.html", sheet, {"heading": heading, "text": text, "number": number})


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
        "font_stack": mark_safe(_FONTS.get(theme.font, _FONTS["sans"])),  # noqa: S308 - constants
        "languages": [(code, _LANGUAGE_NAMES[code], url) for code, url in sheet.languages.items()],
        **context,
    }
    return get_template(template).render(page)


_LANGUAGE_NAMES = {"en": "English", "de": "Deutsch"}
