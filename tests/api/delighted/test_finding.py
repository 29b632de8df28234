"""Who is meant, also where requests meet each other."""

from typing import Any

import pytest
from django.db import IntegrityError

from apps.api.delighted import finding
from apps.triggers import delighted
from apps.triggers.models import DelightedConnection
from tests.api.delighted.conftest import Caller

ADA = {"email": "Ada@Example.com", "name": "Ada Lovelace"}


def test_a_number_goes_along_with_its_person(caller: Caller) -> None:
    def post(**body: Any) -> Any:
        return caller.json("POST", "/v1/people", {"send": False, **body})

    first = post(phone_number="+491701234567").json()
    post(phone_number="+491701234567", phone_number_update="+491701234568")
    other = post(phone_number="+491701234567")
    assert (other.status_code, other.json()["id"] != first["id"]) == (201, True)
    assert post(phone_number="+491701234568").json()["id"] == first["id"]
    # Known by the number so far; another one who shares it stays another one.
    assert post(phone_number="+491701234568", email="ada@example.com").json()["id"] == first["id"]
    assert post(phone_number="+491701234568", email="eve@example.com").status_code == 201
    taken = post(phone_number="+491701234567", phone_number_update="+491701234568")
    assert taken.json()["errors"] == {"phone_number_update": ["has already been taken"]}


def test_requests_that_meet_each_other_are_carried_out_or_may_come_again(
    caller: Caller, connection: DelightedConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(finding, "_known", lambda names: None)
        answers = [caller.json("POST", "/v1/people", ADA) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [201, 200], "only one of two at once has made the person"
    resolve, erased = finding.resolve_contacts, 1

    def interrupted(**kwargs: Any) -> Any:
        nonlocal erased
        erased -= 1
        return [None] if erased >= 0 else resolve(**kwargs)

    monkeypatch.setattr(finding, "resolve_contacts", interrupted)
    assert caller.json("POST", "/v1/people", ADA).status_code == 200
    erased = 9
    answer = caller.json("POST", "/v1/people", ADA)
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    erased = 0

    def gone(**kwargs: Any) -> None:
        raise IntegrityError("made for this test")

    monkeypatch.setattr(delighted, "prove", gone)
    assert caller.json("POST", "/v1/people", ADA).status_code == 503
