"""One platform, started with one broker after the other, and a browser."""

import shutil
import signal
import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browsing import chromium_running
from tests.environment import new_folder
from tests.journeys.platform import Home, Platform, Sink, free_port

BROKERS = [pytest.param("redis", marks=pytest.mark.redis), "files"]


@pytest.fixture(scope="package")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis server of its own."""
    folder, port = tmp_path_factory.mktemp("redis"), free_port()
    command = [shutil.which("redis-server") or "redis-server", "--port", str(port), "--bind", "127.0.0.1"]
    process = subprocess.Popen([*command, "--save", "", "--dir", str(folder)], stdout=subprocess.DEVNULL)
    yield f"redis://127.0.0.1:{port}/0"
    process.terminate()
    process.wait(10)


@pytest.fixture(scope="package")
def home() -> Iterator[Home]:
    """A folder and a port for all starts: making the database anew for each would take as long as everything else."""
    folder = new_folder("demo-")
    yield Home(folder / "kept", free_port())
    shutil.rmtree(folder)


@pytest.fixture(scope="package")
def sink() -> Iterator[Sink]:
    """Where the platform's mails arrive."""
    running = Sink()
    yield running
    running.stop()


@pytest.fixture(scope="package", params=BROKERS)
def broker(request: pytest.FixtureRequest) -> str:
    """What carries the tasks."""
    return str(request.param)


@pytest.fixture(scope="package")
def platform(
    broker: str, home: Home, sink: Sink, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Platform]:
    """The demo as an operator starts it, once with Redis and once with the default broker; it finds what it made."""
    before = home.told()
    settings = {"EMAIL_URL": sink.url, "TICK_SECONDS": "1", "SWEEP_SECONDS": "5"}
    if broker == "redis":
        url = request.getfixturevalue("redis_url")
        settings |= {"CELERY_BROKER_URL": url, "CACHE_URL": url}
    running = Platform(home, tmp_path_factory.mktemp("platform") / "log.txt", **settings)
    yield running
    assert running.stop(signal.SIGTERM) == 0
    assert running.demo == (before or running.demo)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    with chromium_running() as started:
        yield started
