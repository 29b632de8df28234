"""What webhooks in Delighted's form say of responses and of who left."""

from datetime import datetime
from typing import Any

from apps.api.delighted import answers, finding, shapes
from apps.integrations import delighted
from apps.responses.models import Response


def tell(kind: str, payload: dict[str, Any]) -> dict[str, Any]:
    """The data of an event. At most three queries; what is gone since is told as far as it was written down."""
    return _left(payload) if kind == "unsubscribe.created" else _response(payload)


def _response(payload: dict[str, Any]) -> dict[str, Any]:
    row = answers.related(Response.objects.filter(pk=payload["id"])).first()
    if row is None:
        row = Response(id=payload["id"], properties=payload["properties"], channel=payload["channel"])
    # As it was then, whatever was changed since.
    row.score, row.comment = payload["score"], payload["comment"]
    row.answered_at, row.updated_at = (datetime.fromisoformat(payload[name]) for name in ("answered_at", "updated_at"))
    return answers.shape(row, ["person"])


def _left(payload: dict[str, Any]) -> dict[str, Any]:
    contact = finding.find(pk=payload["id"])
    return {
        "person_id": payload["id"],
        "email": contact.email if contact else None,
        "name": (contact.name if contact else "") or None,
        "unsubscribed_at": shapes.unix(datetime.fromisoformat(payload["unsubscribed_at"])),
    }


delighted.register(tell)
