"""Workers die or stand still while they send: nobody gets a mail twice, and what nobody can know is shown."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import psutil
import pytest
from django.utils import timezone

from apps.messaging.models import OutgoingEmail
from apps.messaging.sending import send_batch
from tests.journeys.platform import ROOT
from tests.processes import census, post
from tests.processes.fleet import Fleet, patiently, wait_for
from tests.processes.mailserver import MailServer, mail_server

pytestmark = pytest.mark.timeout(120)
MAILS, KILLS = 150, 6
SECONDS_PER_MAIL = 0.01
NO_REDIS = "redis://127.0.0.1:9/0"


@pytest.fixture
def server(house: Any, tmp_path: Path, settings: Any) -> Iterator[MailServer]:
    """The mail server that the worker and this process send to; not a fast one."""
    with mail_server(tmp_path / "mail") as running:
        running.behave(delay=SECONDS_PER_MAIL)
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", running.port
        yield running


class Worker:
    """A process group whose child sends."""

    def __init__(self, environment: dict[str, str]) -> None:
        command = [sys.executable, "-m", "tests.processes.deliverer", "fleet"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def signal(self, number: int) -> None:
        """To all of it."""
        os.killpg(self._process.pid, number)

    def kill_child(self) -> None:
        """Only the one that sends."""
        [child] = psutil.Process(self._process.pid).children()
        child.kill()

    def end(self) -> None:
        """All of it, at once."""
        if self._process.poll() is None:
            self.signal(signal.SIGKILL)
        self._process.communicate(timeout=10)


@pytest.fixture
def worker(server: MailServer, database: str, tmp_path: Path) -> Iterator[Worker]:
    """A worker of its own process group."""
    mailbox: Any = server
    running = Worker(Fleet(tmp_path, database, NO_REDIS, mailbox).environment)
    yield running
    running.end()


def wait_until_taken(server: MailServer, count: int) -> None:
    """Until so many mails have come in, or nothing waits any more."""
    patiently(lambda: len(server.mails) >= count or not post.waits(), 30, pause=0.002)


def take_over() -> None:
    """Five minutes later another one comes: this process."""
    post.let_time_pass()
    while send_batch(now=timezone.now()):
        pass


def test_each_mail_leaves_at_most_once_though_workers_are_killed_again_and_again(
    worker: Worker, server: MailServer
) -> None:
    random = Random(11)
    post.send_out(post.people(MAILS))
    for number in range(1, KILLS + 1):
        wait_until_taken(server, len(server.mails) + random.randrange(3, MAILS // KILLS))
        time.sleep(random.uniform(0, SECONDS_PER_MAIL))
        worker.kill_child() if number < KILLS else worker.end()
        assert post.waits(), "the worker was too fast to be killed"
        if number < KILLS:
            post.let_time_pass()
    take_over()
    print(f"{KILLS} kills: {post.counted()}")
    census.assert_all(*post.checks(server, mails=MAILS, unknown=KILLS))
    unknown = OutgoingEmail.objects.filter(status="unknown").values_list("last_error", flat=True)
    assert set(unknown) <= {"interrupted while sending"}


def test_a_worker_that_stood_still_longer_than_its_lease_sends_nothing_twice(
    worker: Worker, server: MailServer
) -> None:
    post.send_out(post.people(60))
    wait_until_taken(server, 15)
    worker.signal(signal.SIGSTOP)
    try:
        seen = len(server.mails)
        take_over()
        assert post.counted()["sent"] >= 59
        assert seen < 60
    finally:
        worker.signal(signal.SIGCONT)
    # The one that was on its way is settled once the one who sent it can say so.
    wait_for("the last one's fate", lambda: post.counted() == {"sent": 60}, 10)
    time.sleep(0.3)  # Whoever sends something a second time does it now.
    census.assert_all(
        *post.checks(server, mails=60, unknown=0),
        census.equal("tries of one mail", {1}, set(OutgoingEmail.objects.values_list("attempts", flat=True))),
    )
