"""The official clients and the public taps, with nothing changed but base URL and key, against a real server."""

import base64
import http.client
import json
import os
import subprocess
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.clients.conftest import NODE_MODULES, TAP, installed
from tests.clients.server import BEGAN, PEOPLE, RESPONSES, Account, Server
from tests.journeys.platform import ROOT

Open = Callable[[str], Account]
RESPONSE_KEYS = {
    "id", "person", "survey_type", "score", "comment", "permalink", "created_at", "updated_at", "person_properties",
    "notes", "tags", "additional_answers",
}  # fmt: skip


# --- Python -----------------------------------------------------------------------------------------


@pytest.fixture
def python(server: Server, account: Open) -> Iterator[Any]:
    """The client from PyPI, as its users set it up."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        import delighted
    before = delighted.api_key, delighted.api_base_url
    delighted.api_key, delighted.api_base_url = account("python_client").key, server.url
    yield delighted
    delighted.api_key, delighted.api_base_url = before
    delighted.shared_client = None


def test_the_python_client_sends_people_in_and_reads_them(python: Any) -> None:
    person = python.Person.create(email="ada@example.com", name="Ada", delay=60, properties={"plan": "Pro"})
    assert (person.email, person.name, person.properties) == ("ada@example.com", "Ada", {"plan": "Pro"})
    assert 0 < person.survey_scheduled_at - time.time() < 3 * 86_400
    people = list(python.Person.list(per_page=20).auto_paging_iter())
    assert len({p.id for p in people}) == len(people) == PEOPLE + 1
    assert python.SurveyRequest.delete_pending(person_email="ada@example.com") == {"ok": True}
    assert python.AutopilotConfiguration.retrieve("email").frequency == 90 * 86_400
    members = python.AutopilotMembership.forEmail()
    assert members.create(person_id=person.id, properties={"plan": "Pro"}).person["id"] == person.id
    assert [m.person["email"] for m in members.list().auto_paging_iter()] == ["ada@example.com"]
    assert members.delete(person_id=person.id)["person"]["id"] == person.id
    assert python.Unsubscribe.create(person_email="ada@example.com") == {"ok": True}
    assert [u.email for u in python.Unsubscribe.all()] == ["ada@example.com"]
    assert [b.email for b in python.Bounce.all()] == ["person0@example.com"]
    assert python.Person.delete(email="ada@example.com") == {"ok": True}
    assert len(list(python.Person.list().auto_paging_iter())) == PEOPLE


def test_the_python_client_writes_and_reads_responses(python: Any) -> None:
    person = next(python.Person.list().auto_paging_iter())
    made = python.SurveyResponse.create(person=person.id, score=6, comment="Slow", person_properties={"plan": "Pro"})
    found = python.SurveyResponse.retrieve(made.id, expand=["person"])
    assert (found.person.email, found.score, found.keys()) == (person.email, 6, RESPONSE_KEYS)
    found.score = 9
    assert found.save().score == 9
    pages = [python.SurveyResponse.all(per_page=100, page=page, order="desc") for page in (1, 2, 3)]
    assert [len(page) for page in pages] == [100, RESPONSES + 1 - 100, 0]
    assert pages[0][0].id == made.id
    old = python.SurveyResponse.all(until=int(BEGAN.timestamp()), expand=["person"])
    assert [(r.score, r.tags, r.person.name) for r in old] == [(0, [{"name": "imported"}], "Person 0")]
    metrics = python.Metrics.retrieve()
    assert (metrics.response_count, metrics.promoter_count, metrics.nps) == (1, 1, 100)
    assert python.Metrics.retrieve(since=int(BEGAN.timestamp())).response_count == RESPONSES + 1


def test_the_python_client_raises_its_own_errors(python: Any, server: Server, account: Open) -> None:
    errors = python.errors
    for wrong in ("wrong", account("python_client").key[:-1]):
        with pytest.raises(errors.AuthenticationError):
            python.Metrics.retrieve(client=python.Client(api_key=wrong, api_base_url=server.url))
    with pytest.raises(errors.ResourceValidationError) as caught:
        python.Person.create(name="Nobody")
    assert json.loads(caught.value.response.body)["errors"] == {"email": ["can't be blank"]}
    with pytest.raises(errors.GeneralAPIError) as caught:
        python.SurveyResponse.retrieve("10")
    assert caught.value.response.status_code == 404
    spent = python.Client(api_key=account("python_client").spent_key, api_base_url=server.url)
    python.Metrics.retrieve(client=spent)
    with pytest.raises(errors.TooManyRequestsError) as caught:
        python.Metrics.retrieve(client=spent)
    assert 0 < caught.value.retry_after <= 60


# --- Node -------------------------------------------------------------------------------------------


def test_the_node_client_does_all_it_can(server: Server, account: Open) -> None:
    modules, used = installed(NODE_MODULES / "delighted").parent, account("node_client")
    command = ["node", "tests/clients/client.js", "127.0.0.1", str(server.port), used.key, used.spent_key]
    environment = {"NODE_PATH": str(modules), "PATH": os.environ["PATH"]}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr + server.log()
    found = json.loads(done.stdout)
    grace = found["person"]["id"]
    assert found["person"]["survey_scheduled_at"] > time.time()
    assert found["person"]["properties"] == {"plan": "Pro", "locale": "de"}
    assert len({p["id"] for p in found["people"]}) == len(found["people"]) == PEOPLE + 1
    assert found["pending"] == found["deleted"] == found["unsubscribed"] == {"ok": True}
    assert found["expanded"] == "grace@example.com"
    assert (found["saved"]["score"], found["saved"]["comment"], found["saved"]["person"]) == (10, "Fine", grace)
    assert len(found["page"]) == RESPONSES + 1 - 100
    assert found["page"][0].keys() == RESPONSE_KEYS
    assert (found["recent"], found["metrics"]["response_count"], found["metrics"]["nps"]) == (1, 1, 100)
    assert (found["autopilot"]["platform_id"], found["autopilot"]["active"]) == ("email", True)
    assert found["joined"]["person"]["id"] == found["left"]["person"]["id"] == grace
    assert [m["next_survey_request"]["properties"] for m in found["members"]] == [{"plan": "Pro"}]
    assert [u["email"] for u in found["unsubscribes"]] == ["grace@example.com"]
    assert [b["email"] for b in found["bounces"]] == ["person0@example.com"]
    errors = found["errors"]
    assert [errors[name]["type"] for name in ("key", "missing", "invalid", "tooMany")] == [
        "AuthenticationError", "GeneralAPIError", "ResourceValidationError", "TooManyRequestsError",
    ]  # fmt: skip
    assert json.loads(errors["missing"]["message"])["status"] == 404
    assert 0 < errors["tooMany"]["retryAfter"] <= 60


# --- the tap on PyPI --------------------------------------------------------------------------------

RUN = (
    "import sys, delighted; delighted.api_base_url = sys.argv.pop(1); "
    "from tap_delighted.tap import TapDelighted; TapDelighted.cli()"
)


def test_the_tap_discovers_and_syncs_every_stream(server: Server, account: Open, tmp_path: Path) -> None:
    config, state = tmp_path / "config.json", tmp_path / "state.json"
    config.write_text(json.dumps({"auth_token": account("tap").key, "start_date": "2024-01-01"}))
    command = [str(installed(TAP)), "-W", "ignore", "-c", RUN, server.url, "--config", str(config)]
    found = json.loads(_tap([*command, "--discover"], server))
    streams = {stream["tap_stream_id"]: stream["key_properties"] for stream in found["streams"]}
    assert streams == {"survey responses": ["id"]}
    messages = [json.loads(line) for line in _tap(command, server).splitlines()]
    assert [m["stream"] for m in messages if m["type"] == "SCHEMA"] == list(streams)
    records = [m["record"] for m in messages if m["type"] == "RECORD"]
    assert len({record["id"] for record in records}) == len(records) == RESPONSES
    assert {(type(r["person"]), type(r["score"]), type(r["updated_at"])) for r in records} == {(str, int, int)}
    assert records[-1]["person_properties"]["CaseId"] == str(RESPONSES - 1)
    # The next run goes on where this one ended.
    state.write_text(json.dumps(next(m["value"] for m in reversed(messages) if m["type"] == "STATE")))
    again = [json.loads(line) for line in _tap([*command, "--state", str(state)], server).splitlines()]
    assert [m["record"]["id"] for m in again if m["type"] == "RECORD"] == [records[-1]["id"]]


def _tap(command: list[str], server: Server) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-3000:] + server.log()
    return done.stdout


# --- the wire forms of the others -------------------------------------------------------------------


@pytest.fixture
def send(server: Server, account: Open) -> Callable[..., tuple[int, Any, dict[str, str]]]:
    """One request exactly as written, over a socket."""
    key = account("wire_forms").key

    def request(
        method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None, colon: str = ":"
    ) -> tuple[int, Any, dict[str, str]]:
        link = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        basic = base64.b64encode(f"{key}{colon}".encode()).decode()
        link.putrequest(method, f"/v1/{path}", skip_accept_encoding=True)
        sent = {"Authorization": f"Basic {basic}", **(headers or {})}
        if body is not None:
            sent["Content-Length"] = str(len(body.encode()))
        for name, value in sent.items():
            link.putheader(name, value)
        link.endheaders(body.encode() if body is not None else None)
        answer = link.getresponse()
        content = answer.read()
        link.close()
        return answer.status, json.loads(content), dict(answer.headers)

    return request


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Accept": "application/json", "Content-Type": "application/json"}


def test_ruby_php_and_go_are_understood(send: Any) -> None:
    person = send("GET", "people.json?per_page=1", "{}", JSON)[1][0]["id"]
    # Ruby: JSON, also on DELETE.
    made = json.dumps({"person": person, "score": 8, "person_properties": {"plan": "Pro"}})
    status, response, _headers = send("POST", "survey_responses", made, JSON)
    assert (status, response["score"]) == (201, 8)
    assert send("GET", f"survey_responses/{response['id']}?expand[]=person", None, JSON)[1]["person"]["id"] == person
    who = json.dumps({"person_id": person})
    assert send("POST", "autopilot/email/memberships", who, JSON)[0] == 200
    assert send("DELETE", "autopilot/email/memberships", who, JSON)[:2][0] == 200
    # PHP: JSON without the id, or the whole object as a form, nested by brackets.
    without = json.dumps({**response, "id": None, "comment": "Gut"})
    assert send("PUT", f"survey_responses/{response['id']}", without, {"Content-Type": "application/json"})[0] == 200
    whole = [
        ("id", response["id"]), ("person", person), ("survey_type", "nps"), ("score", "3"), ("comment", "Zu spät"),
        ("person_properties[plan]", "Pro"), ("person_properties[Delighted Source]", "API"), ("notes[]", ""),
    ]  # fmt: skip
    changed = send("PUT", f"survey_responses/{response['id']}", urlencode(whole), FORM)[1]
    assert (changed["score"], changed["comment"], changed["person_properties"]) == (3, "Zu spät", {"plan": "Pro"})
    body = urlencode({"email": "php@example.com", "send": "false", "properties[plan]": "Pro"})
    sent = send("POST", "people", body, FORM)[1]
    assert (sent["survey_scheduled_at"], sent["properties"]) == (None, {"plan": "Pro"})
    body = urlencode({"person_email": "php@example.com"})
    assert send("POST", "autopilot/email/memberships", body, FORM)[0] == 200
    assert send("DELETE", "autopilot/email/memberships", body, FORM)[0] == 200
    # Go: a form that does not say so; Python: a key without its colon, a GET with a body of no type.
    body = urlencode({"person": person, "score": 10})
    assert send("POST", "survey_responses.json", body)[1]["score"] == 10
    assert send("GET", "metrics.json", "{}", colon="")[1]["response_count"] == 2
    for method, path in (("GET", "nowhere"), ("PATCH", "metrics.json"), ("DELETE", "people/10")):
        status, body, headers = send(method, path)
        assert status == body["status"] in (404, 405)
        assert headers["content-type"].startswith("application/json")


def test_taps_read_every_page_once(send: Any) -> None:
    since = int(BEGAN.timestamp())
    until = since + RESPONSES * 3600
    # Airbyte: page increments within spans of time, a hundred a page. Singer: from the bookmark on, until one is empty.
    for query in (f"updated_since={since}&updated_until={until}", f"since={since}&until={until}&order=asc:updated_at"):
        found, page = [], 1
        while True:
            path = f"survey_responses.json?per_page=100&page={page}&{query}"
            rows = send("GET", path, None, {"Accept": "*/*"})[1]
            if not rows:
                break
            found += rows
            page += 1
        assert len({row["id"] for row in found}) == len(found) == RESPONSES
        assert page == 3
        assert [row["updated_at"] for row in found] == sorted(row["updated_at"] for row in found)
    people, path = [], f"people.json?per_page=10&since={since}&per_page=10"
    while path:
        _status, rows, headers = send("GET", path)
        people += [row["id"] for row in rows]
        link = headers.get("Link", headers.get("link", ""))
        assert link.count("per_page") <= 1
        path = link.partition("/v1/")[2].partition(">")[0]
    assert len(set(people)) == len(people) >= PEOPLE
    assert [row["email"] for row in send("GET", "bounces.json?per_page=100&page=1")[1]] == ["person0@example.com"]
    assert send("GET", "unsubscribes.json?per_page=100&page=2")[1] == []
