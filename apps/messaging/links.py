"""The way out of our mails: one signed link per recipient, and the headers that mail programs offer it by."""

from uuid import UUID

from apps.common import tokens

PURPOSE = "unsubscribe"


def unsubscribe_url(contact_id: UUID, base_url: str) -> str:
    """The recipient's own page; works as RFC 8058 one-click target too."""
    return f"{base_url}/mail/u/{tokens.sign(PURPOSE, str(contact_id))}"


def unsubscribe_headers(url: str) -> dict[str, str]:
    """RFC 2369 and RFC 8058 headers."""
    return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def contact_of(token: str) -> UUID | None:
    """Whose link this is; None if it is not one of this tenant's."""
    value = tokens.unsign(PURPOSE, token)
    try:
        return UUID(value) if value else None
    except ValueError:
        return None
