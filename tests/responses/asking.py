"""Answering as a human does: a page, a moment, a browser."""

from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from apps.common import tokens
from apps.responses import tickets
from apps.surveys.models import Invitation
from tests import factories

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
HOST = "nordwind.resonanz.test"


def browser(host: str = HOST) -> Client:
    """A browser of today on a tenant's host."""
    return Client(headers={"host": host, "user-agent": BROWSER})


def read_for(seconds: float = 20) -> str:
    """The stamp of a page that has been looked at for so long."""
    return tickets.new_stamp(timezone.now() - timedelta(seconds=seconds))


def human(**fields: Any) -> dict[str, Any]:
    """What a page posts, some seconds after it was opened."""
    return {"t": read_for(), **fields}


def invited(**values: Any) -> str:
    """The path of a new personal link to the ordinary survey; the values are the invitation's."""
    factories.theme()
    token, now = tokens.new_token(), timezone.now()
    row = {
        "survey": values.pop("survey", None) or factories.SurveyFactory(),
        "contact": values.pop("contact", None) or factories.ContactFactory(locale="en"),
        "touchpoint": factories.TouchpointFactory(),
        "reason": token,
        "status": "queued",
        "send_at": now,
        "give_up_at": now,
        "created_at": now,
        "token_hash": tokens.hash_token(token),
        "link_expires_at": now + timedelta(days=1),
    }
    Invitation.objects.create(**{**row, **values})
    return f"/s/{token}"
