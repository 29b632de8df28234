from datetime import UTC, datetime, timedelta

import pytest

from apps.accounts.models import User
from apps.cases import services
from apps.cases.models import Case
from apps.contacts.models import Contact
from apps.responses.models import Response
from apps.surveys.models import Survey

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("tenant")


@pytest.fixture
def response() -> Response:
    survey = Survey.objects.create(key="order", name={"en": "Order"})
    contact = Contact.objects.create(email="a@example.com")
    return Response.objects.create(survey=survey, contact=contact, score=2, answered_at=NOW, updated_at=NOW)


def open_case(response: Response, now: datetime) -> Case:
    services.open_cases(responses=[response], now=now)
    return Case.objects.get(response=response)


def test_a_case_is_due_two_days_after_it_was_opened(response: Response) -> None:
    case = open_case(response, now=NOW)
    assert (case.status, case.contact, case.opened_at) == ("new", response.contact, NOW)
    assert case.due_at == NOW + timedelta(days=2)


def test_opening_twice_keeps_the_first_case(response: Response) -> None:
    first = open_case(response, now=NOW)
    second = open_case(response, now=NOW + timedelta(days=1))
    assert second == first
    assert second.due_at == first.due_at


def test_closing_stamps_the_time_and_reopening_takes_it_away(response: Response) -> None:
    case = open_case(response, now=NOW)
    owner = User.objects.create(username="cx")
    closed = services.change_status(case_id=case.pk, status="solved", outcome=" Refunded. ", owner=owner, now=NOW)
    assert (closed.status, closed.outcome, closed.owner, closed.closed_at) == ("solved", "Refunded.", owner, NOW)
    later = NOW + timedelta(days=1)
    again = services.change_status(case_id=case.pk, status="lost", outcome="Left.", owner=owner, now=later)
    assert again.closed_at == NOW
    open_again = services.change_status(case_id=case.pk, status="contacted", outcome="", owner=None, now=later)
    open_again.refresh_from_db()
    assert (open_again.closed_at, open_again.owner) == (None, None)


def test_a_case_is_not_closed_without_words(response: Response) -> None:
    case = open_case(response, now=NOW)
    with pytest.raises(services.OutcomeMissingError):
        services.change_status(case_id=case.pk, status="lost", outcome="  ", owner=None, now=NOW)
    case.refresh_from_db()
    assert case.status == Case.Status.NEW


def test_an_unknown_status_is_refused(response: Response) -> None:
    case = open_case(response, now=NOW)
    with pytest.raises(services.UnknownStatusError):
        services.change_status(case_id=case.pk, status="burnt", outcome="", owner=None, now=NOW)
