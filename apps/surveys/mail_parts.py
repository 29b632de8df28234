"""What all our mails are built from: the tenant's look as mail programs want it, the question's answers."""

from collections.abc import Mapping
from typing import Any

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import SafeString, mark_safe

from apps.common.colours import text_on
from apps.common.texts import localized
from apps.surveys.definition import Question
from apps.surveys.models import Theme
from apps.surveys.sheets import ends_of
from apps.touchpoints.models import Touchpoint

_FONTS = {
    "sans": "system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif",
    "serif": "Charter,'Iowan Old Style',Georgia,Cambria,'Times New Roman',serif",
    "rounded": "ui-rounded,'SF Pro Rounded','Segoe UI',Nunito,Helvetica,Arial,sans-serif",
    "mono": "ui-monospace,'SF Mono',Menlo,Consolas,'Courier New',monospace",
}
INK, SOFT, PAGE, SHEET, LINE, CELL = "#111827", "#4b5563", "#f3f4f6", "#ffffff", "#d1d5db", "#f9fafb"
PADDING = mark_safe("\n".join(["\u034f\u200c\u00a0" * 20] * 4))  # noqa: S308 - a constant
"""After the preheader: without it mail programs go on with the mail's first words."""


def place(name: str) -> SafeString:
    """Where a value of this name goes; it is escaped when it is filled in."""
    return mark_safe(f"{{{{ {name} }}}}")  # noqa: S308


def current_theme() -> Theme:
    """The tenant's theme; a plain one if it has not been set up."""
    return Theme.objects.first() or Theme(brand_name="Resonanz")


def base_context(theme: Theme, language: str) -> dict[str, Any]:
    """What every mail's templates need; the rest are places for what is each mail's own."""
    own = ("name", "greeting", "subject", "unsubscribe_url")
    on_accent = theme.on_accent or text_on(theme.accent)
    return {
        "theme": theme,
        "on_accent": on_accent,
        "language": language,
        "css": _styles(theme.accent, on_accent, _FONTS.get(theme.font, _FONTS["sans"])),
        "padding": PADDING,
        **{name: place(name) for name in own},
    }


def _styles(accent: str, on_accent: str, font: str) -> Mapping[str, SafeString]:
    """Styles by what they are for: written into the elements, for many mail programs know no others."""
    rules = {
        "page": f"margin:0;padding:0;width:100%;background-color:{PAGE};-webkit-text-size-adjust:100%",
        "around": "padding:24px 8px",
        "width": "width:100%;max-width:600px",
        "brand": f"padding:16px 32px;border-radius:8px 8px 0 0;background-color:{accent};color:{on_accent};"
        f"font:600 16px/24px {font}",
        "sheet": f"padding:32px;border-radius:0 0 8px 8px;background-color:{SHEET};color:{INK};font:16px/24px {font}",
        "foot": f"padding:16px 32px;color:{SOFT};font:13px/20px {font}",
        "p": "margin:0 0 16px",
        "small": "margin:0 0 8px",
        "last": "margin:0",
        "question": "margin:0 0 16px;font-size:20px;line-height:28px;font-weight:600",
        "ink": f"color:{INK};text-decoration:underline",
        "soft": f"color:{SOFT};text-decoration:underline",
        "scores": "width:100%;table-layout:fixed;border-collapse:separate;border-spacing:3px 0",
        "cell": f"border:1px solid {LINE};border-radius:6px;background-color:{CELL};mso-padding-alt:12px 0",
        "score": f"display:block;padding:12px 0;color:{INK};text-decoration:none;font:600 16px/20px {font}",
        "ends": "width:100%;margin:8px 0 24px",
        "end": f"padding:0 3px;color:{SOFT};font:13px/20px {font}",
        "button": f"border-radius:8px;background-color:{accent};mso-padding-alt:12px 24px",
        "press": f"display:inline-block;padding:12px 24px;border-radius:8px;background-color:{accent};"
        f"color:{on_accent};text-decoration:none;font:600 16px/24px {font}",
        "quote": f"margin:0 0 24px;padding:4px 0 4px 16px;border-left:4px solid {accent};white-space:pre-line",
    }
    return {name: mark_safe(rule) for name, rule in rules.items()}  # noqa: S308 - checked colours and constants


def asking(question: Question | None, touchpoint: Touchpoint | None, language: str) -> dict[str, Any]:
    """What the templates of mails that ask a survey need; the value "link" leads to the survey."""
    low, high = question.bounds if question else (0, -1)
    link = place("link")
    return {
        "question": localized(question.text, language) if question else "",
        "touchpoint": localized(touchpoint.name, language) if touchpoint else "",
        "link": link,
        "ends": ends_of(question, language) if question else ("", ""),
        "scores": [(score, mark_safe(f"{link}?score={score}")) for score in range(low, high + 1)],  # noqa: S308
    }


def score_row(question: Question | None, base: Mapping[str, Any], language: str) -> tuple[str, str]:
    """The question with its answers as links: lines of text, and HTML."""
    if question is None:
        return "", ""
    context = {**base, **asking(question, None, language)}
    with translation.override(language):
        return render_to_string("mail/scores.txt", context).strip(), render_to_string("mail/scores.html", context)
