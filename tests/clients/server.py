"""The platform's own web server on loopback, and tenants to call it for."""

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone
from django_tenants.utils import tenant_context

from apps.contacts.models import LegalBasis
from apps.integrations.services import create_api_key
from apps.messaging import suppressions
from apps.responses.past import PastResponse, record_past_responses
from apps.tenants.models import Tenant
from apps.tenants.provisioning import create_tenant
from apps.triggers import delighted
from tests import factories
from tests.journeys.platform import ROOT, free_port, wait_for

BEGAN = datetime(2024, 5, 1, 12, tzinfo=UTC)
RESPONSES = 130
"""More than one page of a tap, which has a hundred."""
PEOPLE = 25
"""More than one page of people, which has twenty."""


@dataclass(frozen=True, slots=True)
class Account:
    """A tenant that was moved here from Delighted, with a key for all and one that is used up after a request."""

    tenant: Tenant
    key: str
    spent_key: str


class Server:
    """``python -m config.serve web`` on the test database; the key says which tenant is meant."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/v1/"
        keep = ("PATH", "HOME", "LANG", "TMPDIR", "SECRET_KEY", "DATABASE_URL", "EMAIL_URL", "DEBUG")
        environment = {name: os.environ[name] for name in keep if name in os.environ} | {
            "ENV_FILE": os.devnull,
            "PUBLIC_HOST": f"127.0.0.1:{self.port}",
            "PUBLIC_SCHEME": "http",
            "PORT": str(self.port),
            "WEB_WORKERS": "1",
            "LOG_LEVEL": "WARNING",
            "DATA": str(folder / "data"),
        }
        self._log = folder / "log.txt"
        with self._log.open("wb") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "config.serve", "web"],
                cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        try:
            wait_for("the web server", self._answers, 60)
        except BaseException:
            self.stop()
            raise

    def log(self) -> str:
        """What it said."""
        return self._log.read_text(errors="replace")

    def _answers(self) -> bool:
        assert self._process.poll() is None, self.log()
        try:
            urllib.request.urlopen(f"{self.url}metrics.json", timeout=5).close()
        except urllib.error.HTTPError as error:
            return error.code == 401
        except OSError:
            return False
        return True

    def stop(self) -> None:
        """End it, with its worker."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait(10)


def move_in(name: str) -> Account:
    """A new tenant with people, past responses, a bounce, and Autopilot every ninety days."""
    tenant = create_tenant(schema_name=name, name=name)
    with tenant_context(tenant):
        factories.theme()
        survey = factories.SurveyFactory()
        delighted.connect(
            choices=delighted.Choices(
                survey=survey,
                legal_basis=LegalBasis.Kind.EXISTING_CUSTOMER,
                legal_source="Notice in the order form",
                email_days=90,
            ),
            now=timezone.now(),
        )
        people = [factories.ContactFactory(email=f"person{n}@example.com", name=f"Person {n}") for n in range(PEOPLE)]
        rows = [_response(survey.pk, people[number % PEOPLE].pk, number) for number in range(RESPONSES)]
        record_past_responses(rows=rows, now=timezone.now())
        suppressions.suppress(emails=[people[0].email], reason="bounced", source="test", now=BEGAN)
        key = create_api_key(name="all")[1]
        row, spent = create_api_key(name="one request a minute")
        row.requests_per_minute = 1
        row.save()
    return Account(tenant, key, spent)


def _response(survey_id: int, contact_id: Any, number: int) -> PastResponse:
    at = BEGAN + timedelta(hours=number)
    return PastResponse(
        survey_id=survey_id,
        contact_id=contact_id,
        answered_at=at,
        score=number % 11,
        comment=f"Comment {number}" if number % 2 else "",
        properties={"plan": "Pro", "CaseId": str(number)},
        tags=["imported"],
        source="delighted",
        external_id=str(number),
    )


def move_out(account: Account) -> None:
    """Nothing is left of it."""
    account.tenant.delete(force_drop=True)
