"""Files through the API: for whoever may read, narrowed like the lists, and never more than the lists show."""

import csv
import io
from typing import Any

import pytest
from django.utils import timezone

from apps.integrations.models import Scope
from apps.integrations.services import create_api_key
from apps.responses.models import Response
from tests import factories
from tests.api.calling import call, fields_of

pytestmark = pytest.mark.usefixtures("tenant")


def key_for(*scopes: str) -> str:
    return create_api_key(name="t", scopes=list(scopes))[1]


def rows(answer: Any) -> list[dict[str, str]]:
    assert answer.status_code == 200
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_file_is_for_who_may_read_and_narrowed_like_the_list() -> None:
    key = key_for(Scope.READ)
    ada = factories.ContactFactory(name="=Ada", email="ada@x.example")
    bo = factories.ContactFactory(name="Bo", email="bo@x.example")
    now = timezone.now()
    for contact, score in ((ada, 3), (bo, 10)):
        Response.objects.create(
            survey=factories.SurveyFactory(), contact=contact, score=score, answered_at=now, updated_at=now
        )
    found = call(key, "GET", "/exports/contacts.csv?email=ada@x.example", accept="text/csv")
    assert found["Content-Disposition"].startswith('attachment; filename="contacts-')
    assert found["RateLimit-Limit"]
    assert [row["name"] for row in rows(found)] == ["'=Ada"]
    [row] = rows(call(key, "GET", "/exports/responses.csv?segment=promoter"))
    assert (row["contact_name"], row["answered_at"]) == ("Bo", now.isoformat(timespec="seconds"))
    for name in ("contacts", "responses"):
        file = b"".join(call(key, "GET", f"/exports/{name}.xlsx").streaming_content)
        assert file.startswith(b"PK")
    assert fields_of(call(key, "GET", "/exports/contacts.csv?nonsense=1")) == ["nonsense"]
    assert call(key_for(Scope.EVENTS_WRITE), "GET", "/exports/contacts.csv").status_code == 403
    assert call(None, "GET", "/exports/responses.xlsx").status_code == 401
    assert call(key_for(*Scope.values), "POST", "/exports/responses.csv", {}).status_code == 405
