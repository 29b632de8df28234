"""What came of the rows: every comparison says what was expected and what was seen."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import F
from django.utils import timezone

from apps.contacts.models import Outreach
from apps.messaging.models import OutgoingEmail
from apps.surveys.models import Invitation
from apps.touchpoints.models import Event
from apps.triggers.models import Decision
from tests.processes.fleet import Mailbox
from tests.processes.rows import Turn


class Check(NamedTuple):
    """One comparison."""

    what: str
    expected: str
    seen: str
    ok: bool

    def __str__(self) -> str:
        return f"{'ok  ' if self.ok else 'MISS'} {self.what}: expected {self.expected}, seen {self.seen}"


def once_each(what: str, expected: Collection[Any], seen: Iterable[Any]) -> Check:
    """Each of these exactly once, and nothing else."""
    found, wanted = Counter(seen), set(expected)
    faults = {
        "missing": len(wanted - found.keys()),
        "doubled": sum(1 for count in found.values() if count > 1),
        "strange": len(found.keys() - wanted),
    }
    said = ", ".join(f"{count} {name}" for name, count in faults.items() if count)
    return Check(what, f"{len(wanted)} once", f"{sum(found.values())}{f' ({said})' if said else ''}", not said)


def equal(what: str, expected: object, seen: object) -> Check:
    """One figure."""
    return Check(what, str(expected), str(seen), expected == seen)


def turns(expected: Collection[Turn]) -> Check:
    """One decision per cadence, contact and turn."""
    rows = Decision.objects.filter(event=None).values_list("cadence_id", "contact_id", "occurrence")
    # Whatever the turn is called besides its number: the same turn under two names would be doubled, too.
    numbered = (Turn(cadence, contact, int(name.rpartition(":")[2])) for cadence, contact, name in rows)
    return once_each("turns decided", expected, numbered)


def event_decisions(events: Collection[Any], rule_ids: Collection[int]) -> Check:
    """One decision per event and rule."""
    rows = Decision.objects.filter(cadence=None).values_list("event_id", "rule_id")
    return once_each("events decided", [(event, rule) for event in events for rule in rule_ids], rows)


def no_event_left() -> Check:
    """Every event is decided."""
    return equal("events not decided", 0, Event.objects.exclude(status="decided").count())


def invitations() -> list[Check]:
    """Each decision that asks has an invitation of its own; each invitation its decision, and a place in the ledger.

    A decision that had to make way for good asks no more; its invitation is there still, and revoked.
    """
    asking = Decision.objects.filter(status__in=["scheduled", "deferred"])
    led_to = Decision.objects.filter(invitation__isnull=False).values_list("invitation_id", flat=True)
    ids = list(Invitation.objects.values_list("id", flat=True))
    waiting = Invitation.objects.filter(status="scheduled")
    ledger = Outreach.objects.values_list("reason", flat=True)
    return [
        once_each("invitations by decision", ids, led_to),
        equal("decisions that ask without an invitation", 0, asking.filter(invitation=None).count()),
        equal("invitations that wait in vain", 0, waiting.exclude(decision__in=asking).count()),
        once_each("places in the ledger", [f"invitation:{pk}" for pk in ids], ledger),
    ]


def all_sent() -> bool:
    """Whether nothing that is due waits any more."""
    now = timezone.now()
    waiting = Invitation.objects.filter(status="scheduled", send_at__lte=now)
    return not waiting.exists() and not OutgoingEmail.objects.filter(status__in=["queued", "sending"]).exists()


def mails(mailbox: Mailbox) -> list[Check]:
    """One mail per invitation that is due, and each came in once. Of one that a killed worker began, nobody knows."""
    now = timezone.now()
    due = Invitation.objects.filter(send_at__lte=now)
    rows = list(OutgoingEmail.objects.values_list("message_id", "status"))
    unknown = {message_id for message_id, status in rows if status == "unknown"}
    came = [str(mail["Message-ID"]) for mail in mailbox.mails]
    sure = [message_id for message_id in came if message_id not in unknown]
    reasons = OutgoingEmail.objects.values_list("reason", flat=True)
    doubled_unknown = sum(1 for message_id in unknown if came.count(message_id) > 1)
    return [
        once_each("mails by invitation", [f"invitation:{pk}" for pk in due.values_list("id", flat=True)], reasons),
        once_each("mails that came in", {message_id for message_id, status in rows if status == "sent"}, sure),
        equal("mails neither sent nor unknown", 0, sum(status not in ("sent", "unknown") for _id, status in rows)),
        equal("mails of unknown fate that came twice", 0, doubled_unknown),
    ]


def unknown_mails() -> int:
    """How many mails a worker began and nobody knows whether they left."""
    return OutgoingEmail.objects.filter(status="unknown").count()


def ledger_agrees() -> Check:
    """Every invitation that waits is in the ledger at the very time it is to be sent."""
    held = dict(Outreach.objects.filter(state="reserved").values_list("reason", "at"))
    waiting = Invitation.objects.filter(status="scheduled").values_list("id", "send_at")
    apart = sum(held.get(f"invitation:{pk}") != at for pk, at in waiting)
    return equal("invitations that the ledger has at another time", 0, apart)


def deadlocks() -> int:
    """How many deadlocks PostgreSQL has broken in this database. Backends report when they end, or within a second."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def no_deadlock(broken: Sequence[str], before: int) -> list[Check]:
    """Neither PostgreSQL nor a worker has seen one."""
    return [equal("batches that broke", [], list(broken)), equal("deadlocks", 0, deadlocks() - before)]


def late_by() -> float:
    """Seconds that the slowest mail came after it was due; for the record."""
    sent = OutgoingEmail.objects.filter(status="sent", invitation__isnull=False)
    spans = sent.annotate(wait=F("sent_at") - F("invitation__send_at")).values_list("wait", flat=True)
    return max((span.total_seconds() for span in spans), default=0.0)


def assert_all(*checks: Check) -> None:
    """Print every comparison, and fail if one of them missed."""
    for check in checks:
        print(check)
    missed = [str(check) for check in checks if not check.ok]
    assert not missed, "\n".join(missed)
