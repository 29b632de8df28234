"""Workers die again and again while they follow up: every step of every way is taken once, and in order."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import psutil
import pytest
from django.utils import timezone

from apps.campaigns.models import Campaign, Enrolment, StepRun
from apps.cases.models import Case
from apps.common.ids import uuid7
from apps.contacts.models import Outreach
from apps.incentives.models import Voucher, VoucherPool
from apps.messaging.models import OutgoingEmail
from apps.responses.models import Response
from tests import factories
from tests.journeys.platform import ROOT
from tests.processes import census, rows
from tests.processes.fleet import Fleet, patiently

pytestmark = pytest.mark.timeout(120)
PEOPLE, KILLS, LIMIT, WORKERS = 120, 14, 7, 2
NO_REDIS = "redis://127.0.0.1:9/0"
COMMENTED = {"field": "response.has_comment", "op": "eq", "value": True}
MAIL = {"kind": "email", "subject": {"en": "Hi"}, "body": {"en": "Hi {{ name }}"}, "also_while_case": True}


def steps(pool: VoucherPool) -> list[dict[str, Any]]:
    """Of every kind that leaves a row behind."""
    return [
        {"key": "tag", "kind": "tag", "add": ["seen"]},
        {"key": "first", **MAIL},
        {"key": "wait", "kind": "wait", "seconds": 1},
        {"key": "why", "kind": "branch", "condition": COMMENTED,
         "yes": [{"key": "case", "kind": "case"}, {"key": "gift", "kind": "voucher", "pool": pool.pk}],
         "no": [{"key": "more", **MAIL}]},
        {"key": "last", **MAIL},
    ]  # fmt: skip


@pytest.fixture
def followers(database: str, house: Any, tmp_path: Path) -> Iterator[list[subprocess.Popen[str]]]:
    """Workers that follow up, each in a process group of its own."""
    nobody: Any = type("Nobody", (), {"url": "smtp://127.0.0.1:9"})
    environment = Fleet(tmp_path, database, NO_REDIS, nobody).environment
    command = [sys.executable, "-m", "tests.processes.follower", "fleet", str(LIMIT)]
    running = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True)
        for _ in range(WORKERS)
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    yield running
    for process in running:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=10)


def answers() -> None:
    """Everybody has answered, half of them with a comment."""
    now = timezone.now()
    survey, touchpoint = factories.SurveyFactory(), factories.TouchpointFactory()
    Response.objects.bulk_create(
        Response(
            id=uuid7(), survey=survey, touchpoint=touchpoint, contact=contact, score=9, comment="Great" * (n % 2),
            answered_at=now, updated_at=now, follow_up_at=now,
        )
        for n, contact in enumerate(rows.people(PEOPLE))
    )  # fmt: skip


def test_every_step_is_taken_once_and_in_order_though_workers_are_killed_again_and_again(
    followers: list[subprocess.Popen[str]],
) -> None:
    random = Random(7)
    rows.furnish()
    pool = VoucherPool.objects.create(name="Gift", value={"en": "5 €"})
    Voucher.objects.bulk_create(Voucher(pool=pool, code=f"GIFT-{n}") for n in range(PEOPLE))
    factories.publish(Campaign.objects.create(name="All"), steps(pool))
    answers()
    killed = 0
    while killed < KILLS and Enrolment.objects.exclude(state="running").count() < PEOPLE:
        time.sleep(random.uniform(0.02, 0.25))
        for child in psutil.Process(random.choice(followers).pid).children():
            child.kill()
            killed += 1
    over = patiently(lambda: Enrolment.objects.filter(state="done").count() == PEOPLE, 60)
    ways = Counter(way_of(enrolment) for enrolment in Enrolment.objects.prefetch_related("runs"))
    start = ("tag", "first", "wait", "why")
    mails = StepRun.objects.filter(kind="email")
    print(f"{killed} kills; {len(mails)} mails")
    census.assert_all(
        census.equal("killed often enough", True, killed >= KILLS // 2),
        census.equal("all came to the end", True, over),
        census.equal(
            "ways", {(*start, "case", "gift", "last"): PEOPLE // 2, (*start, "more", "last"): PEOPLE // 2}, dict(ways)
        ),
        census.equal("steps not done", 0, StepRun.objects.exclude(status="done").count()),
        census.once_each(
            "mails", [f"step:{run.pk}" for run in mails], OutgoingEmail.objects.values_list("reason", flat=True)
        ),
        census.once_each(
            "in the ledger", [f"step:{run.pk}" for run in mails], Outreach.objects.values_list("reason", flat=True)
        ),
        census.equal("cases", PEOPLE // 2, Case.objects.count()),
        census.equal("vouchers", PEOPLE // 2, Voucher.objects.filter(status="issued").count()),
        census.equal("tags", PEOPLE, Response.objects.filter(tags=["seen"]).count()),
    )


def way_of(enrolment: Enrolment) -> tuple[str, ...]:
    """Its steps in the order in which they were taken."""
    runs = sorted(enrolment.runs.all(), key=lambda run: run.position)
    times = [run.done_at for run in runs if run.done_at]
    assert times == sorted(times)
    return tuple(run.step_key for run in runs)
