"""What a public survey is passed on with: its addresses, a QR code, and a row of scores for somebody else's e-mail."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import segno
from django.utils import translation
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _

from apps.common.colours import text_on
from apps.common.texts import localized
from apps.surveys.definition import Question
from apps.surveys.models import Theme

_TABLE = """<table role="presentation" lang="{language}" width="100%" cellpadding="0" cellspacing="4" border="0" \
style="max-width:560px;font:14px Arial,sans-serif;color:#111827">
<tr><td colspan="{count}" style="padding-bottom:8px;font-size:16px;line-height:24px"><b>{question}</b></td></tr>
<tr>
{cells}
</tr>
<tr><td colspan="{left}" align="left">{low}</td><td colspan="{right}" align="right">{high}</td></tr>
</table>"""
_CELL = (
    '<td width="{}%" height="40" align="center" bgcolor="{}"><a href="{}" style="display:block;padding:10px 0;color:{};'
    'font-weight:bold;text-decoration:none">{}</a></td>'
)


@dataclass(frozen=True, slots=True)
class Links:
    """A survey's public addresses with the same query behind them."""

    base: str
    query: Mapping[str, str]

    @property
    def page(self) -> str:
        return self.with_query()

    @property
    def kiosk(self) -> str:
        return self.with_query(end="/kiosk")

    @property
    def short(self) -> str:
        """What can be typed from a poster."""
        return self.base.partition("://")[2]

    def score(self, value: int) -> str:
        """The page with this score chosen already."""
        return self.with_query(score=str(value))

    def with_query(self, end: str = "", **more: str) -> str:
        query = urlencode({**more, **self.query})
        return f"{self.base}{end}?{query}" if query else f"{self.base}{end}"


def code(text: str) -> segno.QRCode | None:
    """A code that can be read with a quarter of it dirty; None if the text is too long for one."""
    try:
        return segno.make_qr(text, error="q", boost_error=False)
    except segno.DataOverflowError:
        return None


def _ends(lead: Question, language: str) -> tuple[str, str]:
    low, high = localized(lead.low_label, language), localized(lead.high_label, language)
    if low and high:
        return low, high
    with translation.override(language):
        words = {
            "nps": (_("not at all likely"), _("extremely likely")),
            "csat": (_("very dissatisfied"), _("very satisfied")),
        }
        return words.get(lead.kind, (_("strongly disagree"), _("strongly agree")))


def html_row(lead: Question, links: Links, theme: Theme, language: str) -> str:
    """The question with a link for each answer: a table with inline styles, which Outlook understands as well."""
    low, high = lead.bounds
    ends = _ends(lead, language)
    text = theme.on_accent or text_on(theme.accent)
    count = high - low + 1
    return format_html(
        _TABLE,
        language=language,
        question=localized(lead.text, language),
        cells=format_html_join(
            "\n", _CELL, ((100 // count, theme.accent, links.score(n), text, n) for n in range(low, high + 1))
        ),
        low=f"{low} – {ends[0]}",
        high=f"{high} – {ends[1]}",
        count=count,
        left=(count + 1) // 2,
        right=count // 2,
    )


def plain_row(lead: Question, links: Links, language: str) -> str:
    """The same for mails without HTML."""
    low, high = lead.bounds
    said = dict(zip((low, high), _ends(lead, language), strict=True))
    rows = [
        f"{value}{f' ({said[value]})' if value in said else ''}: {links.score(value)}" for value in range(low, high + 1)
    ]
    return "\n".join([localized(lead.text, language), "", *rows])
