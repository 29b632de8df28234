"""The REST API at the real web server: the documentation's examples, and whatever else somebody may send."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.db import connection
from django_tenants.utils import tenant_context

from apps.api.description import description
from apps.integrations.services import create_api_key
from apps.responses.past import PastResponse, record_past_responses
from apps.tenants.models import Tenant
from apps.tenants.provisioning import create_tenant
from tests import factories
from tests.api import world
from tests.clients.server import Server
from tests.journeys.platform import ROOT

PAGE = ROOT / "docs" / "api.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


CHECKS = ",".join(
    (
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "unsupported_method",
        "allow_header_conformance",
        "ignored_auth",
    )
)


def operations() -> list[tuple[str, str]]:
    """All that the API's description tells of."""
    return [(path, method) for path, methods in json.loads(description())["paths"].items() for method in methods]


class Example(NamedTuple):
    """A program from the page, and the answer printed below it."""

    language: str
    program: str
    answer: Any


def examples() -> list[Example]:
    """In the order of the page: the later ones build on the earlier."""
    blocks = BLOCK.findall(PAGE.read_text())
    found = []
    for place, (language, text) in enumerate(blocks):
        if language in ("bash", "python", "javascript"):
            follows = blocks[place + 1] if place + 1 < len(blocks) else ("", "")
            found.append(Example(language, text, json.loads(follows[1]) if follows[0] == "json" else None))
    return found


def command(language: str) -> Callable[[Path, str], list[str]]:
    if language == "bash":
        return lambda _folder, text: ["bash", "-euo", "pipefail", "-c", text]
    if language == "python":
        return lambda _folder, text: [sys.executable, "-c", text]

    def node(folder: Path, text: str) -> list[str]:
        path = folder / "example.mjs"
        path.write_text(text)
        return ["node", str(path)]

    return node


def shape(value: Any) -> Any:
    """What an answer looks like, whatever its ids, times and numbers; short words count as they are."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items() if key not in ("decisions", "properties")}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    if isinstance(value, str) and re.fullmatch(r"[0-9a-f-]{36}|\d{4}-\d\d-\d\dT.*Z", value):
        return "…"
    return value


@pytest.fixture(scope="module")
def key(server: Server, django_db_blocker: Any) -> Iterator[str]:
    """A key of a tenant that has something of everything, and answers to ask for."""
    with django_db_blocker.unblock():
        connection.set_schema_to_public()
        tenant = create_tenant(schema_name="rest_api", name="Examples")
        with tenant_context(tenant):
            world.fill("one", rows=2)
            factories.TouchpointFactory(key="order_received")
            survey, contact = factories.SurveyFactory(), factories.ContactFactory()
            at = datetime(2026, 3, 1, tzinfo=UTC)
            rows = [
                PastResponse(survey_id=survey.pk, contact_id=contact.pk, answered_at=at, score=n) for n in (3, 6, 9)
            ]
            record_past_responses(rows=rows, now=at)
            found = create_api_key(name="docs", requests_per_minute=1_000_000)[1]
        connection.set_schema_to_public()
        connection.close()
        yield found
        connection.set_schema_to_public()
        Tenant.objects.get(schema_name="rest_api").delete(force_drop=True)
        connection.close()


def test_every_example_on_the_page_does_what_it_says(key: str, server: Server, tmp_path: Path) -> None:
    found = examples()
    assert {example.language for example in found} == {"bash", "python", "javascript"}
    assert len(found) >= 10
    environment = {
        "PATH": os.environ["PATH"],
        "RESONANZ_URL": f"http://127.0.0.1:{server.port}",
        "RESONANZ_KEY": key,
    }
    for example in found:
        if example.language == "javascript" and shutil.which("node") is None and not os.environ.get("CI"):
            continue
        run = command(example.language)(tmp_path, example.program)
        done = subprocess.run(run, env=environment, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, f"{example.program}\n{done.stderr}{server.log()}"
        answer = json.loads(done.stdout)
        if example.answer is None:
            assert answer.get("status", 200) in (200, "active"), done.stdout
            continue
        told, expected = shape(answer), shape(example.answer)
        for one in (told, expected):  # Nobody decides events here.
            for row in one.get("results", []) if isinstance(one, dict) else []:
                if "occurred_at" in row:
                    row.update(status="…", contact_id="…")
        assert told == expected, example.program


@pytest.mark.parametrize(
    ("page", "start"), [("README.md", "curl http://localhost:8000"), ("docs/moving-from-delighted.md", "curl https")]
)
def test_the_curl_of_other_pages_is_taken_too(key: str, server: Server, page: str, start: str) -> None:
    program = next(
        text
        for text in re.findall(r"^ *```\w*\n(.*?)^ *```$", (ROOT / page).read_text(), re.M | re.S)
        if text.strip().startswith(start)
    )
    base = f"http://127.0.0.1:{server.port}"
    for written, real in (
        ("http://localhost:8000", base),
        ("https://<your host>", base),
        ("$API_KEY", key),
        ("rk_…", key),
    ):
        program = program.replace(written, real)
    done = subprocess.run(["bash", "-euc", program], capture_output=True, text=True, timeout=30, check=False)
    assert json.loads(done.stdout)["id"], done.stdout


TOLD_BEFORE = ("metrics/nps/trend", "metrics/nps/distribution", "metrics/questions")
"""They take what ``metrics/nps`` takes, by the same serializer: a thousand cases each that would prove it again."""


def test_whatever_is_sent_the_answer_is_one_that_the_description_names(
    key: str, server: Server, tmp_path: Path
) -> None:
    """Schemathesis: every operation's examples, every constraint of the description broken once, some at random."""
    base = f"http://127.0.0.1:{server.port}"
    run = [
        str(Path(sys.executable).with_name("schemathesis")), "run", f"{base}/api/v1/openapi.json",
        "--header", f"Authorization: Bearer {key}", "--phases", "examples,coverage,fuzzing",
        "--workers", "1", "--max-examples", "2", "--exclude-path-regex", f"/({'|'.join(TOLD_BEFORE)})$",
        "--checks", CHECKS, "--generation-deterministic", "--no-shrink",
        "--suppress-health-check", "all", "--request-timeout", "20", "--continue-on-failure", "--no-color",
    ]  # fmt: skip
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, timeout=280, check=False)
    (tmp_path / "schemathesis.txt").write_text(done.stdout)
    assert done.returncode == 0, f"{tmp_path}/schemathesis.txt: {done.stdout[-20_000:]}"
    tested = re.search(r"Tested: (\d+)", done.stdout)
    assert tested is not None
    assert int(tested[1]) == len(operations()) - len(TOLD_BEFORE)
    assert int(re.search(r"(\d+) generated", done.stdout)[1]) > 40 * int(tested[1])  # type: ignore[index]
