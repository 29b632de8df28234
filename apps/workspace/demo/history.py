"""Tells a tenant's year: contacts, what happened to them, and whom the rules asked. Pure: no Django.

Whether somebody is asked is decided by the same function that decides live.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from apps.contacts.budget import Entry, Policy
from apps.contacts.eligibility import SKIPPED, Facts, Verdict, decide
from apps.workspace.demo import people
from apps.workspace.demo.blueprint import Brand, Happening, SurveySpec, Window
from apps.workspace.demo.feedback import Feedback
from apps.workspace.demo.mailing import Person, opened_on, write_letter
from apps.workspace.demo.pace import year_asked_at
from apps.workspace.demo.records import (
    ContactRow,
    DecisionRow,
    EventRow,
    InvitationRow,
    LegalBasisRow,
    OutreachRow,
    Records,
    SuppressionRow,
    Wiring,
)
from apps.workspace.demo.tale import Tale

EXPIRES_AFTER = timedelta(days=14)
LINK_LIFETIME = timedelta(days=60)
MARGIN = timedelta(hours=3)
"""Nothing is asked in the last hours, so that nothing is left to do when the history ends."""
BOUNCE_TIME = timedelta(seconds=3)
BOUNCES, UNSUBSCRIBES = 0.007, 0.012
PLUS = "plus"
"""The plan of those who are asked about the whole once a year."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What a rule looks at, an event, or a cadence, a turn; and when the answer would be pointless."""

    person: Person
    event: EventRow | None
    survey: SurveySpec
    decided: datetime
    give_up_at: datetime
    reason: str


class History:
    """Writes one tenant's year."""

    def __init__(self, *, brand: Brand, wiring: Wiring, window: Window, policy: Policy, rng: Random) -> None:
        self.brand, self.wiring, self.window, self.policy, self.rng = brand, wiring, window, policy, rng
        self.records = Records()
        tale = Tale(brand, wiring, window, rng, self.records)
        self.new_id, self.feedback = tale.new_id, Feedback(tale)
        self._surveys = {key: survey for survey in brand.surveys for key in (survey.touchpoint, *survey.also)}
        self._points = {point.key: point for point in brand.points}
        self._turn = Happening("", year_asked_at(window), {})
        self._addresses: Counter[str] = Counter()

    def tell(self, scale: float = 1.0) -> Records:
        """The whole history; ``scale`` 0.1 is a tenth of the contacts."""
        for number in range(1, round(self.brand.contacts * scale) + 1):
            happenings = sorted(self.brand.journey(self.rng, self.window), key=lambda h: h.at)
            seen = [h for h in happenings if self.window.start <= h.at < self.window.end - MARGIN]
            if not seen:
                continue
            person = self._person(number, happenings[0].at)
            for happening in happenings:
                if happening.at < self.window.start:
                    self._note_customer(person, happening)
            is_regular = person.plan == PLUS and happenings[0].at < self._turn.at
            for happening in sorted([*seen, *([self._turn] if is_regular else [])], key=lambda h: h.at):
                if happening is self._turn:
                    self._take_turn(person)
                else:
                    self._happen(person, happening)
        return self.records

    def _person(self, number: int, at: datetime) -> Person:
        rng = self.rng
        language = "de" if rng.random() < self.brand.german_share else "en"
        first, last = people.name(rng, language)
        company_id, domain = None, rng.choice(people.MAIL_DOMAINS)
        if self.wiring.companies:
            company_id, domain = rng.choice(self.wiring.companies)
        local = f"{people.ascii_word(first)}.{people.ascii_word(last)}"
        self._addresses[f"{local}@{domain}"] += 1
        count = self._addresses[f"{local}@{domain}"]
        email = f"{local}{count if count > 1 else ''}@{domain}"
        person = Person(
            id=self.new_id(at),
            external_id=f"C-{10_000 + number}",
            email=email if rng.random() < 0.975 else None,
            name=f"{first} {last}" if rng.random() < 0.97 else "",
            language=language,
            locale=rng.choice(("de", "de", "de", "de-AT") if language == "de" else ("en", "en", "en-GB")),
            mood=rng.gauss(0, 0.8),
            plan=rng.choice(("basic", PLUS)),
        )
        properties = {"since": at.year, "plan": person.plan}
        self.records.contacts.append(
            ContactRow(
                person.id, person.external_id, person.email, person.name, person.locale, properties, company_id, at, at
            )
        )
        return person

    def _happen(self, person: Person, happening: Happening) -> None:
        """One event with its decision; with what follows from it, if somebody is asked."""
        received = happening.at + timedelta(seconds=self.rng.randint(1, 40))
        decided = received + timedelta(seconds=1)
        survey = self._surveys.get(happening.touchpoint)
        verdict = self._verdict(person, happening, survey, decided) if survey else Verdict(SKIPPED, "no_rule")
        if verdict.at is not None and verdict.at >= self.window.end - MARGIN:
            return  # It would be asked after the history ends: it has not happened yet.
        event = self._event(person, happening, received)
        self._note_customer(person, happening)
        invitation = None
        if survey and verdict.at is not None:
            give_up_at = happening.at + survey.delay + EXPIRES_AFTER
            reason = f"event:{event.id}:rule:{self.wiring.surveys[survey.key].rule}"
            invitation = self._invite(Asking(person, event, survey, decided, give_up_at, reason), verdict.at)
        self.records.decisions.append(
            DecisionRow(
                id=self.new_id(decided),
                event_id=event.id,
                rule_id=self.wiring.surveys[survey.key].rule if survey else None,
                cadence_id=None,
                occurrence="",
                contact_id=person.id,
                invitation_id=invitation.id if invitation else None,
                status=verdict.status,
                reason=verdict.reason,
                until=verdict.at,
                decided_at=decided,
            )
        )
        if survey and invitation:
            self._await(person, survey, happening, invitation)

    def _take_turn(self, person: Person) -> None:
        """What the cadence decides about one contact; with what follows from it, if it is asked."""
        survey, at = self.brand.relation, self._turn.at
        ids, decided = self.wiring.surveys[survey.key], at + timedelta(seconds=2)
        verdict = self._verdict(person, self._turn, survey, decided)
        occurrence = f"cadence:{ids.cadence}:0:{int(at.timestamp())}"
        invitation = None
        if verdict.at is not None:
            reason = f"turn:{occurrence}:{person.id}:cadence:{ids.cadence}"
            asking = Asking(person, None, survey, decided, at + EXPIRES_AFTER, reason)
            invitation = self._invite(asking, verdict.at)
        self.records.decisions.append(
            DecisionRow(
                id=self.new_id(decided),
                event_id=None,
                rule_id=None,
                cadence_id=ids.cadence,
                occurrence=occurrence,
                contact_id=person.id,
                invitation_id=invitation.id if invitation else None,
                status=verdict.status,
                reason=verdict.reason,
                until=verdict.at,
                decided_at=decided,
            )
        )
        if invitation:
            self._await(person, survey, self._turn, invitation)

    def _await(self, person: Person, survey: SurveySpec, happening: Happening, invitation: InvitationRow) -> None:
        """The answer to the last invitation, or none."""
        if invitation.email_id is None or person.is_blocked(invitation.send_at + BOUNCE_TIME):
            return
        answered_at = self.feedback.maybe_answer(person, survey, happening, invitation)
        self.records.invitations[-1] = invitation._replace(
            opened_on=opened_on(invitation.id, invitation.send_at, answered_at, self.window.end)
        )

    def _verdict(self, person: Person, happening: Happening, survey: SurveySpec, decided: datetime) -> Verdict:
        if survey.percent < 100 and self.rng.random() * 100 >= survey.percent:
            return Verdict(SKIPPED, "not_sampled")
        wanted = happening.at + survey.delay
        point = self._points.get(happening.touchpoint)
        facts = Facts(
            wanted_at=wanted,
            give_up_at=wanted + EXPIRES_AFTER,
            has_address=person.email is not None,
            is_suppressed=person.is_blocked(decided),
            has_legal_basis=person.has_basis or (point is not None and point.proves_customer),
            others=[Entry("", at, is_spent=True) for at in person.outreaches],
        )
        return decide(facts, self.policy, decided)

    def _note_customer(self, person: Person, happening: Happening) -> None:
        """The first event that proves a purchase allows us to write. Once is enough for a history."""
        if self._points[happening.touchpoint].proves_customer and not person.has_basis:
            person.has_basis = True
            source = f"touchpoint:{happening.touchpoint}"
            self.records.legal_bases.append(LegalBasisRow(person.id, "existing_customer", source, "", happening.at))

    def _event(self, person: Person, happening: Happening, received: datetime) -> EventRow:
        told = {"external_id": person.external_id, "email": person.email, "name": person.name, "locale": person.locale}
        event = EventRow(
            id=self.new_id(received),
            touchpoint_id=self.wiring.touchpoints[happening.touchpoint],
            external_id=f"{self.brand.slug}-{len(self.records.events) + 1:06d}",
            occurred_at=happening.at,
            received_at=received,
            contact_data={key: value for key, value in told.items() if value},
            properties=happening.properties,
            contact_id=person.id,
            status="decided",
        )
        self.records.events.append(event)
        return event

    def _invite(self, asking: Asking, at: datetime) -> InvitationRow:
        """An invitation: sent, or revoked because the contact left in between."""
        person, event = asking.person, asking.event
        invitation_id = self.new_id(asking.decided)
        reason = f"invitation:{invitation_id}"
        revoked = person.is_blocked(at)
        ids = self.wiring.surveys[asking.survey.key]
        email_id = None if revoked else self._send(person, reason, f"survey:{ids.survey}", at)
        if not revoked:
            person.outreaches.append(at)
        state = "released" if revoked else "spent"
        self.records.outreaches.append(OutreachRow(person.id, "invitation", reason, at, state))
        invitation = InvitationRow(
            id=invitation_id,
            survey_id=ids.survey,
            contact_id=person.id,
            touchpoint_id=event.touchpoint_id if event else None,
            event_id=event.id if event else None,
            reason=asking.reason,
            status="revoked" if revoked else "queued",
            status_reason="suppressed" if revoked else "",
            send_at=at,
            give_up_at=asking.give_up_at,
            link_expires_at=None if revoked else at + LINK_LIFETIME,
            email_id=email_id,
            created_at=asking.decided,
        )
        self.records.invitations.append(invitation)
        return invitation

    def _send(self, person: Person, reason: str, stream: str, at: datetime) -> UUID:
        """The invitation's mail; now and then it bounces or the contact unsubscribes."""
        words = write_letter(person, self.brand.invitation, {"brand": self.brand.name})
        post = self.feedback.post
        mail_id = self.new_id(at)
        mail = post.sent(mail_id=mail_id, reason=reason, stream=stream, person=person, words=words, at=at)
        luck = self.rng.random()
        if luck < BOUNCES:
            mail = mail._replace(status="bounced", last_error="550 5.1.1 No such mailbox")
            self._block(person, "bounced", at + BOUNCE_TIME)
        elif luck < BOUNCES + UNSUBSCRIBES:
            self._block(person, "unsubscribed", at + timedelta(minutes=self.rng.randint(5, 170)))
        self.records.emails.append(mail)
        return mail.id

    def _block(self, person: Person, why: str, at: datetime) -> None:
        if person.blocked_from is None and person.email:
            person.blocked_from = at
            self.records.suppressions.append(SuppressionRow(b"", person.email, why, "mail", at))
