"""Sending events as a caller does."""

import json
from typing import Any

from django.test import Client

URL = "/api/v1/events"
HOST = "nordwind.resonanz.test"


def event(**changes: Any) -> dict[str, Any]:
    return {"touchpoint": "order_received", "contact": {"external_id": "c-1"}, **changes}


def post(key: str | None, body: Any = None, host: str = HOST, **headers: str) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(event() if body is None else body)
    if key is not None:
        headers["authorization"] = f"Bearer {key}"
    kind = headers.pop("content_type", "application/json")
    return Client(headers={"host": host, **headers}).post(URL, content, content_type=kind)


def problem(answer: Any, status: int) -> dict[str, Any]:
    """The problem in an answer, which has the shape of RFC 9457."""
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    found = answer.json()
    assert found["status"] == status
    assert found["title"]
    assert found["detail"]
    return dict(found)
