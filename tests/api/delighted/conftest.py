"""Calling the compatible API with the very bytes that clients send."""

import base64
import io
import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.api import limits
from apps.contacts.models import LegalBasis
from apps.integrations.services import create_api_key
from apps.triggers import delighted
from tests import factories

HOST = "nordwind.resonanz.test"
PUBLIC_HOST = "resonanz.test"


@dataclass(frozen=True, slots=True)
class Caller:
    """Sends raw requests; nothing is added that a client would not send itself."""

    key: str
    host: str = HOST

    def raw(self, method: str, path: str, body: bytes = b"", content_type: str | None = None, **headers: str) -> Any:
        """One request. The header Authorization is Basic with the key and a colon, unless told otherwise."""
        headers.setdefault("authorization", basic(f"{self.key}:"))
        sent = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
        if content_type is not None:
            sent["CONTENT_TYPE"] = content_type
        if body:
            sent["CONTENT_LENGTH"] = str(len(body))
        path, _mark, query = path.partition("?")
        client = Client(raise_request_exception=False)
        extra = {"QUERY_STRING": query, "HTTP_HOST": self.host, **sent}
        request = {"PATH_INFO": path, "REQUEST_METHOD": method, "wsgi.input": io.BytesIO(body), **extra}
        return client.request(**request)

    def json(self, method: str, path: str, body: Any) -> Any:
        """With a JSON body."""
        return self.raw(method, path, json.dumps(body).encode(), "application/json")

    def get(self, path: str) -> Any:
        """Without a body; the answer's JSON, which must be a success."""
        answer = self.raw("GET", path)
        assert answer.status_code == 200, answer.content
        return answer.json()


def basic(credentials: str) -> str:
    """A header of HTTP Basic."""
    return "Basic " + base64.b64encode(credentials.encode()).decode()


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    limits.forget()


@pytest.fixture
def caller(tenant: Any) -> Caller:
    """A key of nordwind that may do everything, on nordwind's own host."""
    return Caller(create_api_key(name="delighted")[1])


@pytest.fixture
def connection(caller: Caller) -> Any:
    """Nordwind is set up: people sent in are asked, as existing customers; Autopilot asks by mail every 90 days."""
    factories.theme()
    return delighted.connect(
        choices=delighted.Choices(
            survey=factories.SurveyFactory(),
            legal_basis=LegalBasis.Kind.EXISTING_CUSTOMER,
            legal_source="Notice in the shop's order form, since May 2024",
            email_days=90,
        ),
        now=timezone.now(),
    )
