"""From what happened to what was answered, against a naive recount of random rows."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import pytest
from django.db.models import Prefetch

from apps.common.shares import Part
from apps.contacts.models import Company, Contact
from apps.insights.funnels import STEPS, Funnel, Loss, funnel
from apps.insights.places import UnknownKeyError
from apps.insights.slices import Period, Property, Slice
from apps.messaging.models import OutgoingEmail
from apps.surveys.models import Invitation
from apps.touchpoints.models import Event, Touchpoint
from apps.triggers.models import Decision
from tests.insights.occasions import NOW, World

pytestmark = pytest.mark.usefixtures("tenant")
PERIOD = Period.last(30, today=NOW.date())
ALL = Slice()
EventFits: TypeAlias = Callable[[Event], bool]
PersonFits: TypeAlias = Callable[[Contact | None], bool]


class Recount:
    """How many got how far, row by row; everything is read once."""

    def __init__(self) -> None:
        mails = OutgoingEmail.objects.filter(status__in=["delivered", "complained"], queued_at__date__gte=PERIOD.since)
        self.reports = {(m.relay, m.channel): m.queued_at for m in mails.order_by("-queued_at")}
        invited = ("survey", "email", "response__survey", "touchpoint__stage__parent", "contact")
        invitations = Invitation.objects.select_related(*invited)
        decisions = Decision.objects.select_related(
            "rule__survey", "cadence__survey", "cadence__touchpoint__stage__parent", "contact",
            *(f"invitation__{name}" for name in invited),
        )  # fmt: skip
        self.events = Event.objects.select_related("contact", "touchpoint__stage__parent").prefetch_related(
            Prefetch("invitations", invitations), Prefetch("decisions", decisions)
        )
        self.turns = decisions.filter(event=None)
        self.alone = invitations.filter(event=None, decision=None)

    def of(self, wanted: Slice, event_fits: EventFits, person_fits: PersonFits) -> list[int]:
        """The number of each step."""
        found: list[int] = []
        trait = wanted.trait if wanted.trait and "." not in wanted.trait.name else None
        for event in self.events:
            decisions = [d for d in event.decisions.all() if wanted.survey in ("", _survey_of(d))]
            invitations = [i for i in event.invitations.all() if wanted.survey in ("", i.survey.key)]
            fits = _in_period(event.occurred_at) and event_fits(event) and person_fits(event.contact)
            if fits and (decisions or invitations or not wanted.survey):
                found.append(self.far(decisions, invitations, wanted))
        for turn in self.turns:
            fits = wanted.survey in ("", _survey_of(turn)) and _at(wanted, turn.cadence.touchpoint)
            # Of a turn itself no properties are known, of what it led to perhaps.
            fits = fits and (not trait or bool(turn.invitation and _told(turn.invitation, trait)))
            if fits and _in_period(turn.decided_at) and person_fits(turn.contact):
                found.append(self.far([turn], [turn.invitation] if turn.invitation else [], wanted))
        for row in self.alone:
            fits = wanted.survey in ("", row.survey.key) and _at(wanted, row.touchpoint)
            fits = fits and (not trait or _told(row, trait))
            if fits and _in_period(row.created_at) and person_fits(row.contact):
                found.append(self.far([], [row], wanted))
        return [sum(far >= step for far in found) for step in range(len(STEPS))]

    def far(self, decisions: list[Decision], invitations: list[Invitation], wanted: Slice) -> int:
        """How far one occasion got."""
        decided = any(d.status in ("scheduled", "deferred") for d in decisions)
        return max([int(decided), *(_reached(i, wanted, self.reports) for i in invitations)])


def _told(row: Invitation, trait: Property) -> bool:
    return bool(row.properties.get(trait.name) == trait.value)


def _survey_of(decision: Decision) -> str:
    return (decision.rule or decision.cadence).survey.key


def _in_period(at: datetime) -> bool:
    return PERIOD.since <= at.date() <= PERIOD.until


def _at(wanted: Slice, place: Touchpoint) -> bool:
    if wanted.stage and wanted.stage not in (place.stage.key, place.stage.parent and place.stage.parent.key):
        return False
    return wanted.touchpoint in ("", place.key)


def _reached(row: Invitation, wanted: Slice, reports: Any) -> int:
    if wanted.channel and wanted.channel != ("embed" if row.status == "shown" else "email"):
        return 1
    response = getattr(row, "response", None)
    if response and response.is_suspected:
        response = None
    if response and (response.score is not None or response.survey.key == "csat"):
        return 6 if response.comment else 5
    if row.used_on:
        return 5
    if response or row.opened_on:
        return 4
    return 4 if row.status == "shown" else _mailed(row, reports)


def _mailed(row: Invitation, reports: Any) -> int:
    mail = row.email
    if row.status != "queued":
        return 1
    first = reports.get((mail.relay, mail.channel)) if mail else None
    has_arrived = mail is None or mail.status in ("delivered", "complained")
    if has_arrived or (mail.status == "sent" and (first is None or mail.queued_at < first)):
        return 3
    return 2 if mail.sent_at or mail.status == "bounced" else 1


def numbers(found: Funnel) -> list[int]:
    return [step.number for step in found.steps]


def any_event(event: Event) -> bool:
    return True


def anybody(person: Contact | None) -> bool:
    return True


WANTED: list[tuple[Slice, EventFits, PersonFits]] = [
    (ALL, any_event, anybody),
    (Slice(survey="nps"), any_event, anybody),
    (Slice(touchpoint="paid"), lambda event: event.touchpoint.key == "paid", anybody),
    (Slice(stage="purchase"), lambda event: event.touchpoint.key != "helped", anybody),
    (Slice(stage="service", survey="csat"), lambda event: event.touchpoint.key == "helped", anybody),
    (Slice(channel="email"), any_event, anybody),
    (Slice(channel="embed"), any_event, anybody),
    (Slice(language="de"), any_event, lambda person: bool(person and person.locale.startswith("de"))),
    (Slice(segment="pros"), any_event, lambda person: bool(person and person.properties["plan"] == "pro")),
    (
        Slice(trait=Property("company.size", "big"), survey="nps"),
        any_event,
        lambda person: bool(person and person.company_id),
    ),
    (Slice(trait=Property("store", "Wien")), lambda event: event.properties["store"] == "Wien", anybody),
]


def test_every_step_equals_a_recount_and_none_exceeds_the_one_before(django_assert_num_queries: Any) -> None:
    World(1).fill()
    recount = Recount()
    # Each of these is worth nothing if it leaves nothing, or everything.
    everything = recount.of(ALL, any_event, anybody)
    assert min(everything) > 10, everything
    for wanted, event_fits, person_fits in WANTED:
        keys = sum(bool(key) for key in (wanted.survey, wanted.touchpoint, wanted.segment)) + 2 * bool(wanted.stage)
        with django_assert_num_queries(1 + keys):
            found = funnel(wanted=wanted, period=PERIOD, now=NOW)
        assert numbers(found) == recount.of(wanted, event_fits, person_fits), wanted
        assert numbers(found) == sorted(numbers(found), reverse=True)
        assert wanted == ALL or numbers(found) != everything
        assert numbers(found)[1] > 0
        for before, step in zip(found.steps, found.steps[1:], strict=False):
            assert step.of_before == Part(before.number, step.number)
            assert sum(loss.number for loss in step.losses) == before.number - step.number


def test_a_company_counts_its_own_people_only() -> None:
    world = World(2)
    world.fill(40)
    company = Company.objects.get()
    wanted = Slice(company_id=company.pk)
    found = funnel(wanted=wanted, period=PERIOD, now=NOW)
    theirs = Recount().of(wanted, any_event, lambda person: bool(person and person.company_id))
    assert numbers(found) == theirs
    assert numbers(funnel(wanted=Slice(company_id=0), period=PERIOD, now=NOW)) == [0] * 7


def test_nothing_is_empty_and_an_unknown_key_is_told() -> None:
    found = funnel(wanted=ALL, period=PERIOD, now=NOW)
    assert found.is_empty
    assert numbers(found) == [0] * 7
    with pytest.raises(UnknownKeyError):
        funnel(wanted=Slice(survey="nothing"), period=PERIOD, now=NOW)


def test_why_others_got_no_further_is_told_most_first() -> None:
    world = World(3)
    for number, reason in enumerate(["budget", "condition", "budget", None]):
        at = NOW - timedelta(days=1)
        event = Event.objects.create(touchpoint=world.places[0], occurred_at=at, received_at=at)
        if reason:
            Decision.objects.create(event=event, status="skipped", reason=reason, decided_at=at, occurrence=str(number))
    found = funnel(wanted=ALL, period=PERIOD, now=NOW)
    assert found.steps[1].losses == (Loss("decision", "budget", 2), *sorted_losses(found)[1:])
    assert sorted_losses(found)[1:] == [Loss("", "", 1), Loss("decision", "condition", 1)]
    assert not found.steps[2].losses


def sorted_losses(found: Funnel) -> list[Loss]:
    return sorted(found.steps[1].losses, key=lambda loss: (-loss.number, loss.code))


def test_turns_of_cadences_are_told_apart_from_events() -> None:
    world = World(4)
    at = NOW - timedelta(days=1)
    Event.objects.create(touchpoint=world.places[0], occurred_at=at, received_at=at)
    for number in range(3):
        Decision.objects.create(
            cadence=world.cadence, contact=world.people[number], status="skipped", reason="budget", decided_at=at,
            occurrence=str(number),
        )  # fmt: skip
    found = funnel(wanted=ALL, period=PERIOD, now=NOW)
    assert (numbers(found)[0], found.turns) == (4, 3)
