"""A platform that anybody could lie to about its mails does not start: real processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from apps.relays.esps import ESPS, Proof

ROOT = Path(__file__).resolve().parents[2]
SECRET = {"ANYMAIL_WEBHOOK_SECRET": "resonanz:0123456789abcdef0123"}


def start(**variables: str) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("ANYMAIL_")}
    return subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env={**own, **variables}, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("esp", ["postmark", "resend", "mailgun"])
def test_an_esp_whose_reports_anybody_could_forge_stops_the_start_with_one_sentence(esp: str) -> None:
    done = start(EMAIL_URL=f"anymail+{esp}://")
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert "ANYMAIL_" in last
    assert "is not set" in last
    assert ESPS[esp].title in last
    assert "Traceback" not in done.stderr


def test_with_the_secret_it_starts() -> None:
    assert start(EMAIL_URL="anymail+postmark://", **SECRET).returncode == 0


@pytest.mark.parametrize("esp", sorted(ESPS))
def test_what_each_esp_needs(esp: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.core.exceptions import ImproperlyConfigured

    from config import env

    for name in [name for name in os.environ if name.startswith("ANYMAIL_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("EMAIL_URL", f"anymail+{esp}://")
    proof, signing = ESPS[esp].proof, f"ANYMAIL_{esp}_{ESPS[esp].signing}".upper()

    def starts(**variables: str) -> bool:
        with monkeypatch.context() as inner:
            for name, value in variables.items():
                inner.setenv(name, value)
            try:
                found = env.email()
            except ImproperlyConfigured:
                return False
            return found["EMAIL_BACKEND"] == f"anymail.backends.{esp}.EmailBackend"

    assert starts() is (proof is Proof.NONE)
    assert starts(**SECRET) is (proof is not Proof.SIGNATURE)
    assert starts(**{signing: "key"}) is (proof is not Proof.SECRET)
    assert not starts(ANYMAIL_WEBHOOK_SECRET="no-colon-in-it-at-all")
    assert not starts(ANYMAIL_WEBHOOK_SECRET="user:short")
