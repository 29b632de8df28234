"""The way out of our mails: one signed link per recipient, and the headers that mail programs offer it by."""

import re
from uuid import UUID

from apps.common import tokens

PURPOSE = "unsubscribe"
MAILBOX = "unsubscribe-mailbox"
# Pictures are no links; they stay what they are.
_LINK = re.compile(r"""(?<!src=)(?<!src=["'])(?<!url\()(?<!url\(["'])(https?://[^/?#\s<>"']+(?:/[a-z]+)?)[^\s<>"']*""")
_HREF = re.compile(r"""(?<=[\s"'/])href(?=\s*=)""", re.IGNORECASE)


def unsubscribe_url(contact_id: UUID, base_url: str) -> str:
    """The recipient's own page; works as RFC 8058 one-click target too."""
    return f"{base_url}/mail/u/{tokens.sign(PURPOSE, str(contact_id))}"


def mailbox_url(question_id: UUID, base_url: str) -> str:
    """The way out of a question to a mailbox that is not the contact's own: it leads to nothing of the contact's."""
    return f"{base_url}/mail/u/{tokens.sign(MAILBOX, str(question_id))}"


def unsubscribe_headers(url: str) -> dict[str, str]:
    """RFC 2369 and RFC 8058 headers."""
    return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def contact_of(token: str) -> UUID | None:
    """Whose link this is; None if it is not one of this tenant's."""
    return _id_in(token, PURPOSE)


def question_of(token: str) -> UUID | None:
    """The question (``OptIn``) that a mailbox's link belongs to; None if it is none of this tenant's."""
    return _id_in(token, MAILBOX)


def _id_in(token: str, purpose: str) -> UUID | None:
    value = tokens.unsign(purpose, token)
    try:
        return UUID(value) if value else None
    except ValueError:
        return None


def masked(text: str) -> str:
    """A text without the personal part of its links: whoever has one can answer in the contact's name."""
    return _LINK.sub(r"\1/…", text)


def unlinked(html: str) -> str:
    """HTML to look at: its links lead nowhere any more, not even within a frame, and show where they led roughly."""
    return _HREF.sub("title", masked(html))
