"""Several workers dispatch one tenant's backlog together: each takes others, and every limit holds."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from apps.contacts.budget import Entry
from apps.contacts.models import Company, Contact
from apps.messaging.models import OutgoingEmail
from apps.surveys import claims, services
from apps.surveys.models import Invitation, Survey
from tests.processes import budget, census, rows
from tests.processes.fleet import Fleet
from tests.processes.hand import DISPATCH
from tests.processes.hands import at_once

pytestmark = pytest.mark.timeout(120)
HANDS, LIMIT = 4, 25
TWICE, ONCE, GONE, COMPANIES, PER_COMPANY = 200, 400, 30, 12, 20
LOW, HIGH = 0, 5


def due(survey: Survey, people: Sequence[Contact], *, priority: int = LOW) -> list[UUID]:
    """An invitation of each, due one after the other an hour ago, with its place in the ledger."""
    now = timezone.now()
    requests = []
    for n, person in enumerate(people):
        pk = services.uuid7()
        at, give_up_at = now - timedelta(hours=1) + timedelta(milliseconds=n), now + timedelta(days=700)
        entry = Entry(services.outreach_reason(pk), at, f"survey:{survey.pk}", priority, give_up_at)
        reason = f"test:{priority}:{person.external_id}"
        requests.append(services.InvitationRequest(person.id, survey.pk, None, None, reason, entry, pk))
    services.schedule_invitations(requests=requests, now=now)
    return [request.id for request in requests]


def dispatch(limit: int) -> int:
    """One batch, by this process."""
    return services.dispatch_due(now=timezone.now(), base_url="http://fleet.test", limit=limit)


def queued() -> set[UUID]:
    """Invitations that became mails."""
    return set(Invitation.objects.filter(status="queued").values_list("id", flat=True))


@pytest.fixture
def other(database: str, house: Any) -> Iterator[psycopg.Connection]:
    """Another worker's connection. Nobody waits for it longer than two seconds."""
    with psycopg.connect(database, options="-c search_path=fleet") as beside:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")
        yield beside
        beside.rollback()


def hold(other: psycopg.Connection, contacts: Sequence[Contact]) -> None:
    """Lock contacts as a worker that decides or dispatches does."""
    ids = [row.id for row in contacts]
    other.execute("SELECT 1 FROM contacts_contact WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", [ids])


def crowd() -> list[Contact]:
    """People of whom every other one belongs to a company."""
    companies = Company.objects.bulk_create(Company(external_id=f"k-{n}", name=f"k-{n}") for n in range(COMPANIES))
    people = rows.people(ONCE + TWICE)
    for n, person in enumerate(people):
        person.company = companies[n // 2 % COMPANIES] if n % 2 else None
    Contact.objects.bulk_update(people, ["company"])
    return people


@pytest.mark.redis
def test_workers_take_different_batches_and_keep_to_every_limit(fleet: Fleet) -> None:
    survey = rows.furnish(min_days_between=budget.GAP_DAYS, max_per_company=PER_COMPANY, company_days=7)
    people = crowd()
    gone = rows.people(GONE, prefix="gone")
    planned = [*due(survey, gone), *due(survey, people), *due(survey, people[:TWICE], priority=HIGH)]
    Contact.objects.filter(id__in=[row.id for row in gone]).delete()
    before = census.deadlocks()
    done = at_once(fleet.environment, "fleet", [DISPATCH] * HANDS, limit=LIMIT)
    print(f"of {len(planned)} each took {done.shares}, in all {done.by_hand}")
    sent = Invitation.objects.filter(status="queued")
    by_contact = Counter(sent.values_list("contact_id", flat=True))
    by_company = Counter(sent.exclude(contact__company=None).values_list("contact__company_id", flat=True))
    mails = OutgoingEmail.objects.values_list("reason", flat=True)
    lonely = Contact.objects.filter(company=None).count()
    census.assert_all(
        census.equal("hands that found nothing to do", 0, sum(share < LIMIT for share in done.shares)),
        census.equal("a hand that did most of it", False, max(done.shares) > len(planned) * 0.75),
        census.equal("looked at", len(planned), sum(done.by_hand)),
        census.once_each("mails", [f"invitation:{pk}" for pk in queued()], mails),
        census.equal("people who get more than one", 0, sum(count > 1 for count in by_contact.values())),
        census.equal("mails by company", {PER_COMPANY}, set(by_company.values())),
        census.equal("mails to people without a company", lonely, sent.filter(contact__company=None).count()),
        census.equal("of two, the weaker was sent", 0, sent.filter(reason__in=weaker(people)).count()),
        census.equal("of nobody any more", {("revoked", "contact_gone")}, fates(gone)),
        census.equal(
            "due still", 0, Invitation.objects.filter(status="scheduled", send_at__lte=timezone.now()).count()
        ),
        census.ledger_agrees(),
        *census.no_deadlock(done.broken, before),
    )


def weaker(people: Sequence[Contact]) -> list[str]:
    """The invitations that have a stronger one of the same person beside them."""
    return [f"test:{LOW}:{person.external_id}" for person in people[:TWICE]]


def fates(people: Sequence[Contact]) -> set[tuple[str, str]]:
    """What became of their invitations, and why."""
    found = Invitation.objects.filter(reason__in=[f"test:{LOW}:{person.external_id}" for person in people])
    return set(found.values_list("status", "status_reason"))


def test_who_finds_the_first_in_others_hands_looks_further(other: psycopg.Connection) -> None:
    survey = rows.furnish()
    people = rows.people(30)
    ids = due(survey, people)
    hold(other, people[:20])
    assert dispatch(limit=5) == 5
    assert queued() == set(ids[20:25])
    assert dispatch(limit=20) == 5
    assert dispatch(limit=20) == 0
    other.rollback()
    assert dispatch(limit=50) == 20


def test_an_invitation_in_others_hands_is_not_waited_for(other: psycopg.Connection) -> None:
    survey = rows.furnish()
    ids = due(survey, rows.people(4))
    Contact.objects.filter(external_id__in=["p-0", "p-1"]).delete()
    other.execute("SELECT 1 FROM surveys_invitation WHERE id = ANY(%s) FOR UPDATE", [[ids[0], ids[2]]])
    assert dispatch(limit=10) == 2
    assert queued() == {ids[3]}
    assert Invitation.objects.get(pk=ids[1]).status == "revoked"
    assert dispatch(limit=1) == 0
    other.rollback()
    assert dispatch(limit=1) == 1


def test_who_comes_a_moment_too_late_looks_again(other: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    survey = rows.furnish()
    ids = due(survey, rows.people(10))
    look = claims.lock_free_contacts

    def look_late(*args: Any) -> list[UUID]:
        # Its statement began before the others committed: it finds what they have just dispatched.
        found = look(*args)
        other.execute("UPDATE surveys_invitation SET status = 'queued' WHERE id = ANY(%s)", [ids[:5]])
        other.commit()
        return found

    monkeypatch.setattr(claims, "lock_free_contacts", look_late)
    assert dispatch(limit=5) == 5
    assert not Invitation.objects.exclude(status="queued").exists()
    assert OutgoingEmail.objects.count() == 5
