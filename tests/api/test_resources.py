"""What holds for every path of the API and every method, whatever the resource: taken from the URLconf."""

import base64
import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django_filters import filters
from django_tenants.utils import schema_context

from apps.api.description import description
from apps.incentives.models import Voucher
from apps.integrations.models import ApiKey, Scope
from apps.integrations.services import create_api_key
from apps.touchpoints.services import forget_touchpoints
from tests import factories
from tests.api.calling import Endpoint, call, endpoints, fields_of, filled
from tests.api.sending import problem
from tests.api.world import fill

WRITING = {
    "actions": Scope.INSIGHTS_WRITE,
    "annotations": Scope.INSIGHTS_WRITE,
    "cases": Scope.CASES_WRITE,
    "contacts": Scope.CONTACTS_WRITE,
    "companies": Scope.CONTACTS_WRITE,
    "events": Scope.EVENTS_WRITE,
    "responses": Scope.RESPONSES_WRITE,
    "suppressions": Scope.SUPPRESSIONS_WRITE,
    "targets": Scope.INSIGHTS_WRITE,
    "vouchers": Scope.VOUCHERS_WRITE,
}
# What these give, and whom, is tested where they are.
ELSEWHERE = frozenset({"deliveries", "exports", "imports", "webhooks"})
OURS = frozenset({
    "actions", "annotations", "campaigns", "cases", "companies", "contacts", "decisions", "dry-runs", "enrolments",
    "events", "invitations", "journey", "metrics", "responses", "rules", "segments", "stages", "suppressions",
    "surveys", "targets", "touchpoints", "voucher-pools", "vouchers",
})  # fmt: skip
NOBODY = "0197a0c4-0000-7000-8000-000000000001"
MADE_UP = dict.fromkeys(OURS | ELSEWHERE, NOBODY)
NUMBERED = (
    "annotations", "campaigns", "companies", "rules", "suppressions", "targets", "voucher-pools", "webhooks",
)  # fmt: skip
MADE_UP |= dict.fromkeys(NUMBERED, 999_999)
# Their examples name a touchpoint and a survey that have to be there.
NAMING = ("/actions", "/events", "/events/bulk", "/rules")


@pytest.fixture
def full_key(tenant: Any) -> str:
    return create_api_key(name="everything")[1]


@pytest.fixture
def slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys and limits are remembered for the whole test, so that only the rows' queries are counted."""
    monkeypatch.setattr("apps.integrations.services.CACHE_SECONDS", 600)


def ours() -> list[Endpoint]:
    return [endpoint for endpoint in endpoints() if endpoint.path.split("/")[1] in OURS]


def lists() -> list[Endpoint]:
    return [endpoint for endpoint in ours() if endpoint.is_list]


def examples() -> Iterator[tuple[str, str, Any]]:
    """(path, method, body) of every example that the description gives."""
    for path, operations in json.loads(description())["paths"].items():
        for method, operation in operations.items():
            kinds = operation.get("requestBody", {}).get("content", {})
            for example in kinds.get("application/json", {}).get("examples", {}).values():
                yield path.removeprefix("/api/v1"), method.upper(), example["value"]


def test_every_resource_is_there_with_all_that_can_be_done_with_it() -> None:
    assert {endpoint.path.split("/")[1] for endpoint in endpoints()} == OURS | ELSEWHERE
    assert len(lists()) == 27
    bodies = {(e.path, e.method) for e in ours() if e.method in ("POST", "PATCH")}
    without = {("/invitations/{id}/revoke", "POST"), ("/enrolments/{id}/stop", "POST")}
    assert {(path, method) for path, method, _body in examples()} >= bodies - without


def test_every_path_and_method_needs_its_scope(tenant: Any) -> None:
    for endpoint in ours():
        resource = endpoint.path.split("/")[1]
        scope = Scope.READ if endpoint.method == "GET" else WRITING.get(resource, Scope.SETUP_WRITE)
        others = create_api_key(name="others", scopes=[s for s in Scope.values if s != scope])[1]
        answer = call(others, endpoint.method, filled(endpoint.path, MADE_UP), {})
        assert answer.status_code == 403, endpoint
        assert scope in answer.json()["detail"], endpoint
    for endpoint in endpoints():
        assert call(None, endpoint.method, filled(endpoint.path, MADE_UP), {}).status_code == 401, endpoint


def test_another_tenants_ids_lead_nowhere_and_change_nothing(full_key: str, other_tenant: Any) -> None:
    with schema_context("klarwerk"):
        ids = fill("theirs", rows=2)
        before = everything()
    bodies = {(path, method): body for path, method, body in examples()}
    for endpoint in ours():
        path = filled(endpoint.path, ids)
        if endpoint.method == "DELETE" and path.startswith("/suppressions"):
            path += "?because=mistake"
        if "{" in endpoint.path:
            answer = call(full_key, endpoint.method, path, bodies.get((endpoint.path, endpoint.method)))
            assert answer.status_code == 404, (endpoint, answer.content)
        elif endpoint.is_list:
            assert call(full_key, "GET", path).json()["results"] == [], endpoint
    for path, method, body in naming(ids):
        assert call(full_key, method, path, body).status_code == 422, path
    for resource in ("cases", "decisions", "invitations", "responses"):
        assert call(full_key, "GET", f"/{resource}?contact={ids['contacts']}").json()["results"] == []
    with schema_context("klarwerk"):
        assert everything() == before


def naming(ids: dict[str, Any]) -> list[tuple[str, str, Any]]:
    """Requests that name another tenant's rows in what they send."""
    rule = {"name": "Mine", "touchpoints": [ids["touchpoints"]], "survey": ids["surveys"]}
    return [
        ("/touchpoints", "POST", {"key": "mine", "name": {"en": "Mine"}, "stage": ids["stages"]}),
        ("/rules", "POST", rule),
        ("/cases", "POST", {"response_id": str(ids["responses"])}),
        ("/actions", "POST", {"title": "Mine", "touchpoint": ids["touchpoints"]}),
        ("/annotations", "POST", {"text": "Mine", "control_segment": ids["segments"]}),
        ("/targets", "POST", {"goal": 50, "touchpoint": ids["touchpoints"]}),
        (f"/contacts?segment={ids['segments']}", "GET", None),
        (f"/metrics/nps?segment={ids['segments']}", "GET", None),
    ]


def everything() -> dict[str, list[Any]]:
    """All rows of the tenant that one is in, but for the keys: these note when they were used."""
    models = [model for model in apps.get_models() if model._meta.app_label in {
        "contacts", "touchpoints", "triggers", "surveys", "responses", "messaging", "insights", "integrations", "cases",
        "incentives", "campaigns",
    } and model is not ApiKey]  # fmt: skip
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in models}


def test_a_list_takes_as_many_queries_for_many_rows_as_for_one(full_key: str, slowly: None) -> None:
    def queries(endpoint: Endpoint, ids: dict[str, Any]) -> int:
        view = endpoint.view.cls(**endpoint.view.initkwargs)
        wanted = f"?expand={','.join(view.expandable)}" if view.expandable else ""
        call(full_key, "GET", "/companies")
        with CaptureQueriesContext(connection) as captured:
            answer = call(full_key, "GET", filled(endpoint.path, ids) + wanted)
        assert answer.status_code == 200, (endpoint, answer.content)
        assert answer.json()["results"], endpoint
        return len(captured)

    ids = fill("first")
    few = {endpoint.path: queries(endpoint, ids) for endpoint in lists()}
    fill("more", rows=4)
    many = {endpoint.path: queries(endpoint, ids) for endpoint in lists()}
    assert many == few
    assert max(few.values()) <= 6


def test_a_list_can_be_walked_forth_and_back_and_each_row_comes_once(full_key: str) -> None:
    ids = fill("row", rows=5)
    for endpoint in lists():
        whole = call(full_key, "GET", filled(endpoint.path, ids)).json()
        assert (whole["next"], whole["previous"]) == (None, None)
        pages = [call(full_key, "GET", f"{filled(endpoint.path, ids)}?limit=2").json()]
        while pages[-1]["next"]:
            pages.append(call(full_key, "GET", pages[-1]["next"]).json())
        assert [row for page in pages for row in page["results"]] == whole["results"], endpoint
        back = [pages[-1]]
        while back[-1]["previous"]:
            back.append(call(full_key, "GET", back[-1]["previous"]).json())
        if len(pages) > 1:
            assert [page["results"] for page in reversed(back)] == [page["results"] for page in pages], endpoint


def test_what_makes_no_sense_behind_the_question_mark_is_refused_by_name(full_key: str) -> None:
    ids = fill("row")
    for endpoint in lists():
        path = filled(endpoint.path, ids)
        wrong = {"nonsense": "1", "limit": "0", "cursor": "x", "expand": "everything"}
        for name, value in [*wrong.items(), ("limit", "201"), ("limit", "1.5"), ("cursor", cursor("a", "b"))]:
            assert fields_of(call(full_key, "GET", f"{path}?{name}={value}")) == [name], (path, name, value)
        filterset = getattr(endpoint.view.cls(**endpoint.view.initkwargs), "filterset_class", None)
        for name, found in (filterset.base_filters if filterset else {}).items():
            # What PostgreSQL cannot store is stopped at the door.
            assert call(full_key, "GET", f"{path}?{name}=%00").status_code == 400
            for value in ["", *senseless(found)]:
                assert fields_of(call(full_key, "GET", f"{path}?{name}={value}")) == [name], (path, name, value)
            assert fields_of(call(full_key, "GET", f"{path}?{name}=1&{name}=2")) == [name], (path, name)


def senseless(found: filters.Filter) -> list[str]:
    """Values that a filter of this kind cannot take."""
    if isinstance(found, filters.IsoDateTimeFilter):
        return ["yesterday", "2026-13-01"]
    if isinstance(found, filters.NumberFilter):
        return ["one", "1e3", "-1", str(2**63), "%D9%A1"]
    if isinstance(found, filters.UUIDFilter | filters.ChoiceFilter | filters.BooleanFilter):
        return ["perhaps", "1" * 500]
    return ["x" * 300]


def cursor(*values: str) -> str:
    return base64.urlsafe_b64encode(json.dumps(["n", *values]).encode()).decode()


def test_a_place_that_somebody_made_up_is_never_an_error_of_ours(full_key: str) -> None:
    ids = fill("row")
    texts = ["\x00", "x", "1", str(2**70), "-1", "2026-01-01T00:00:00", "9999-12-31T23:59:59-14:00", "", "ä"]
    for endpoint in lists():
        for text in texts:
            for values in ((text,), (text, text), ("2026-01-01T00:00:00Z", text)):
                answer = call(full_key, "GET", f"{filled(endpoint.path, ids)}?cursor={cursor(*values)}")
                assert answer.status_code in (200, 422), (endpoint, values, answer.content)


@pytest.mark.parametrize("made_up", [2**63, 10**30, 0, -1, "%00", "x", "%EF%BC%91", "../rules", "1.0"])
def test_an_id_that_cannot_be_one_is_not_found(full_key: str, made_up: Any) -> None:
    for endpoint in ours():
        if "{" in endpoint.path:
            path = filled(endpoint.path, dict.fromkeys(OURS, made_up))
            answer = call(full_key, endpoint.method, path, {})
            # “x/../rules” is another path by then.
            assert answer.status_code in ((404, 405) if made_up == "../rules" else (404,)), (path, answer.content)


def test_every_example_works_and_is_carried_out_once_with_an_idempotency_key(full_key: str) -> None:
    for path, method, body in examples():
        if path.split("/")[1] in OURS:
            with transaction.atomic():
                _carried_out_once(full_key, path, method, body)
                transaction.set_rollback(True)


def _carried_out_once(full_key: str, path: str, method: str, body: Any) -> None:
    ids = fill("changed")
    url = filled(path, ids)
    if path == "/cases":
        body = {"response_id": str(ids["responses"])}
    if path in NAMING:
        factories.TouchpointFactory()
        factories.SurveyFactory()
    if path == "/touchpoints":
        factories.StageFactory()
    if path == "/vouchers/redeem":
        Voucher.objects.update(code=body["code"])
    forget_touchpoints()
    first = call(full_key, method, url, body, **{"idempotency-key": "once"})
    assert first.status_code in (200, 201, 202), (method, path, first.content)
    after = everything()
    again = call(full_key, method, url, body, **{"idempotency-key": "once"})
    assert (again.status_code, again.content) == (first.status_code, first.content), path
    assert again.headers["Idempotent-Replayed"] == "true", path
    assert everything() == after, path
    other = {**body, "external_id": "another"} if isinstance(body, dict) else [body[0], body[0]]
    assert fields_of(call(full_key, method, url, other, **{"idempotency-key": "once"})) == ["Idempotency-Key"], path


def leaves(value: Any, replace: Callable[[Any], Any] = lambda new: new) -> Iterator[Callable[[Any], Any]]:
    """For every value in a JSON value: what the whole looks like with something else in its place."""
    yield replace
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in parts:

        def put(new: Any, name: Any = name, value: Any = value) -> Any:
            copy = dict(value) if isinstance(value, dict) else list(value)
            copy[name] = new
            return replace(copy)

        yield from leaves(inner, put)


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


STRANGE: list[Any] = [
    None, True, "", "\x00", "x" * 30_000, "\u202e", 2**40, -(2**70), 1.5, [], {}, [None], {"\x00": 1}, {"x": "\x00"},
    {"": {}}, deep(40), "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", {"x": 10**400},
]  # fmt: skip


def test_whatever_stands_in_a_body_is_taken_or_refused_but_never_breaks_anything(full_key: str) -> None:
    ids = fill("row")
    seen = set()
    # One of three thirds for each place: there are hundreds of places.
    turns = itertools.cycle([STRANGE[start::3] for start in range(3)])
    for path, method, body in examples():
        if path.split("/")[1] not in OURS:
            continue
        for put in leaves(body):
            for strange in next(turns):
                answer = call(full_key, method, filled(path, ids), put(strange))
                seen.add(answer.status_code)
                told = (path, put(strange), answer.content)
                assert answer.status_code in (200, 201, 202, 400, 404, 409, 413, 422), told
    assert {200, 201, 202, 422} <= seen


def test_a_body_that_is_no_json_object_and_an_unknown_field_are_told(full_key: str) -> None:
    ids = fill("row")
    for path, method, body in examples():
        if path.split("/")[1] not in OURS:
            continue
        url = filled(path, ids)
        for garbage in (b"{", b"\xff", b"[" * 5000 + b"]" * 5000, b'{"a": NaN}', b'"\\ud800"'):
            problem(call(full_key, method, url, garbage), 400)
        assert call(full_key, method, url, b"a=1", content_type="application/x-www-form-urlencoded").status_code == 415
        assert call(full_key, method, url, b" " * 9_000_000).status_code == 413
        if isinstance(body, dict):
            assert "nonsense" in fields_of(call(full_key, method, url, {**body, "nonsense": 1})), path
            assert call(full_key, method, url, [1]).status_code in (400, 422)
