"""What receivers of channels get: a messenger's message, or our own signed JSON. No database, no clock."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.alerts.words import Item, Told

MAX_BLOCKS, MAX_SECTION, MAX_HEADER = 45, 2900, 150
MAX_TEXT = 12_000
_ZERO = "\u200b"
_CALLS = re.compile(r"@(?=\w)")


def plain(text: str) -> str:
    """Somebody else's words as a messenger shows them, without a meaning of their own.

    Slack's three characters are escaped, which ends links and ``<!channel>``. Messengers that took over Slack's
    format call people at a bare ``@all`` and make links of ``[…](…)``: an invisible space keeps them from it.
    """
    text = _CALLS.sub(f"@{_ZERO}", text).replace("](", f"]{_ZERO}(")
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def slack(told: Told) -> dict[str, Any]:
    """A message for an incoming webhook: ``blocks`` for Slack, ``text`` for its notifications and for the others."""
    return {
        "text": _text(told),
        "blocks": list(_blocks(told))[:MAX_BLOCKS],
        "unfurl_links": False,
        "unfurl_media": False,
        "link_names": 0,
    }


def _text(told: Told) -> str:
    lines = [plain(told.subject)] if told.is_together else []
    for name, items in told.groups:
        lines += [f"{plain(name)} ({len(items)})"] if told.is_together else []
        lines += [_lines(item, is_short=told.is_together) for item in items]
    if told.more:
        lines.append(f"{_more(told)}: <{told.more_url}>")
    return "\n".join(lines)[:MAX_TEXT]


def _lines(item: Item, *, is_short: bool) -> str:
    lines = [plain(item.headline)]
    if item.facts:
        lines.append(" · ".join(f"{plain(label)}: {plain(value)}" for label, value in item.facts))
    if item.quote:
        quote = item.quote[:280] if is_short else item.quote
        lines += [f"> {plain(line)}" for line in quote.splitlines()]
    return "\n".join([*lines, f"<{item.url}>"])


def _more(told: Told) -> str:
    return ngettext("and one more", "and %(n)s more", told.more) % {"n": told.more}


def _blocks(told: Told) -> Iterator[dict[str, Any]]:
    """Words of others stand in ``plain_text``, where nothing has a meaning; only our own links are ``mrkdwn``."""
    yield {"type": "header", "text": _words(told.subject, MAX_HEADER)}
    for name, items in told.groups:
        if told.is_together:
            yield {"type": "section", "text": _words(f"{name} ({len(items)})", MAX_SECTION)}
        for item in items:
            facts = " · ".join(f"{label}: {value}" for label, value in item.facts)
            lines = [item.headline] if told.is_together else []
            quote = item.quote[:280] if told.is_together else item.quote
            text = "\n".join([*lines, *([facts] if facts else []), *([f"„{quote}“"] if quote else [])])
            if text:
                yield {"type": "section", "text": _words(text, MAX_SECTION)}
            yield _link(item.url, _("Open"))
    if told.more:
        yield _link(told.more_url, _more(told))


def _words(text: str, most: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": text[:most], "emoji": False}


def _link(url: str, label: str) -> dict[str, Any]:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": f"<{url}|{plain(label)}>"}]}


def signed(told: Told, *, message_id: UUID) -> dict[str, Any]:
    """What a signed webhook says: the same words, in their parts."""
    return {
        "id": str(message_id),
        "subject": told.subject,
        "is_summary": told.is_together,
        "notices": [
            {
                "kind": item.kind,
                "headline": item.headline,
                "facts": [{"label": label, "value": value} for label, value in item.facts],
                "comment": item.quote,
                "url": item.url,
            }
            for item in told.items
        ],
        "more": told.more,
    }
