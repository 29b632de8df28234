"""A running platform per broker, and a browser."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.journeys.platform import Platform, free_port

BROKERS = [pytest.param("redis", marks=pytest.mark.redis), "files"]


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis server of its own."""
    folder, port = tmp_path_factory.mktemp("redis"), free_port()
    command = [shutil.which("redis-server") or "redis-server", "--port", str(port), "--bind", "127.0.0.1"]
    process = subprocess.Popen([*command, "--save", "", "--dir", str(folder)], stdout=subprocess.DEVNULL)
    yield f"redis://127.0.0.1:{port}/0"
    process.terminate()
    process.wait(10)


@pytest.fixture(scope="module", params=BROKERS)
def platform(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The demo as an operator starts it, once with Redis and once with the default broker."""
    folder: Path = tmp_path_factory.mktemp(f"platform-{request.param}")
    folder.chmod(0o755)
    url = request.getfixturevalue("redis_url") if request.param == "redis" else None
    running = Platform(folder, url)
    yield running
    left = running.stop()
    assert not left, f"still running after Ctrl-C: {left}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    arguments = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--no-first-run",
        "--host-resolver-rules=MAP * 127.0.0.1",
    ]
    with sync_playwright() as playwright:
        chromium: Any = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        yield chromium
        chromium.close()
