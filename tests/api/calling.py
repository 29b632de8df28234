"""Calling the REST API as its users do, and the list of everything that can be called."""

import json
import re
from typing import Any, NamedTuple

from django.test import Client
from drf_spectacular.generators import EndpointEnumerator

from apps.api.description import URLCONF
from tests.api.sending import HOST

ROOT = "/api/v1"


class Endpoint(NamedTuple):
    """A path with places for ids, and a method."""

    path: str
    method: str
    view: Any

    @property
    def is_list(self) -> bool:
        """Whether it gives pages of rows."""
        view = self.view.cls(**self.view.initkwargs) if hasattr(self.view, "initkwargs") else None
        actions = getattr(self.view, "actions", {})
        return self.method == "GET" and (actions.get("get") == "list" or bool(getattr(view, "lists", False)))


def endpoints() -> list[Endpoint]:
    """Every path and method of the API, as the URLconf has them."""
    found = EndpointEnumerator(urlconf=URLCONF).get_api_endpoints()
    return [
        Endpoint(path.removeprefix(ROOT).replace("{pk}", "{id}"), method, view) for path, _regex, method, view in found
    ]


def call(key: str | None, method: str, path: str, body: Any = None, host: str = HOST, **headers: str) -> Any:
    """One request; ``path`` begins after the version. ``body`` is sent as JSON, bytes as they are."""
    if key is not None:
        headers["authorization"] = f"Bearer {key}"
    content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = headers.pop("content_type", "application/json")
    client = Client(headers={"host": host, **headers}, raise_request_exception=False)
    address = path if path.startswith("http") else f"{ROOT}{path}"
    return client.generic(method, address, content, content_type=kind)


def filled(path: str, ids: dict[str, Any]) -> str:
    """The path with the ids of the resource it begins with."""
    resource = path.split("/")[1]
    return re.sub(r"\{\w+\}", lambda _found: str(ids[resource]), path)


def fields_of(answer: Any) -> list[str]:
    """Paths of the fields that a 422 names."""
    assert answer.status_code == 422, (answer.status_code, answer.content[:400])
    return [error["field"] for error in answer.json()["errors"]]
