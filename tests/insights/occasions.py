"""Random occasions: events and turns of cadences, with everything that can become of them."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from apps.contacts.models import Company, Contact
from apps.messaging.models import OutgoingEmail
from apps.responses.models import Response
from apps.surveys.models import Invitation, Question, Survey
from apps.touchpoints.models import Event, Stage, Touchpoint
from apps.triggers.models import Cadence, Decision, Segment, TriggerRule

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
REPORTING, SILENT = "reports", "silent"
FIRST_REPORT = NOW - timedelta(days=20)


class World:
    """Surveys, places and people, and random occasions among them."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        stage = Stage.objects.create(key="purchase", name={"en": "Purchase"})
        step = Stage.objects.create(key="checkout", name={"en": "Checkout"}, parent=stage, position=1)
        other = Stage.objects.create(key="service", name={"en": "Service"}, position=2)
        self.places = [
            Touchpoint.objects.create(key=key, name={"en": key}, stage=where)
            for key, where in (("ordered", stage), ("paid", step), ("helped", other))
        ]
        self.surveys = [Survey.objects.create(key=key, name={"en": key}) for key in ("nps", "csat")]
        for survey in self.surveys:
            Question.objects.create(survey=survey, key=survey.key, kind=survey.key, text={"en": "?"})
        company = Company.objects.create(name="Acme", properties={"size": "big"})
        self.people = [
            Contact.objects.create(
                email=f"{number}@example.com", locale=locale, company=company if number % 2 else None,
                properties={"plan": plan},
            )
            for number, (locale, plan) in enumerate([("de", "pro"), ("de-AT", "free"), ("en", "pro"), ("", "free")])
        ]  # fmt: skip
        Segment.objects.create(key="pros", name="Pros", condition={"field": "contact.plan", "op": "eq", "value": "pro"})
        self.rules = [TriggerRule.objects.create(name=s.key, survey=s) for s in self.surveys]
        self.cadence = Cadence.objects.create(name="Yearly", survey=self.surveys[0], touchpoint=self.places[2])
        self.number = 0

    def fill(self, events: int = 130) -> None:
        """Everything that can become of an occasion, at random."""
        for _repeat in range(events):
            at = NOW - timedelta(days=self.chance.uniform(0, 40))
            person = self.chance.choice([*self.people, None])
            event = Event.objects.create(
                touchpoint=self.chance.choice(self.places), contact=person, occurred_at=at, received_at=at,
                status="decided", properties={"store": self.chance.choice(["Wien", "Linz", 7])},
            )  # fmt: skip
            for rule in self.chance.sample(self.rules, self.chance.choice([0, 1, 1, 2])):
                self.decide(at, person, event=event, rule=rule)
        for _repeat in range(events // 4):
            at = NOW - timedelta(days=self.chance.uniform(0, 40))
            self.decide(at, self.chance.choice(self.people), cadence=self.cadence)
            self.invite(at, self.chance.choice(self.people), self.chance.choice(self.surveys), None)

    def decide(self, at: datetime, person: Contact | None, **of: Any) -> None:
        """A decision, and an invitation where it was for one."""
        status = self.chance.choice(["scheduled", "scheduled", "scheduled", "deferred", "skipped", "blocked"])
        reason = self.chance.choice(["budget", "condition", "suppressed"]) if status in ("skipped", "blocked") else "ok"
        asker = of.get("rule") or of["cadence"]
        invitation = self.invite(at, person, asker.survey, of.get("event")) if status == "scheduled" else None
        Decision.objects.create(
            contact=person, status=status, reason=reason, decided_at=at, invitation=invitation,
            occurrence=str(self.number), **of,
        )  # fmt: skip

    def invite(self, at: datetime, person: Contact | None, survey: Survey, event: Event | None) -> Invitation:
        """An invitation, mailed or shown or neither, opened or not, answered or not."""
        self.number += 1
        status = self.chance.choice(["queued"] * 6 + ["scheduled", "shown", "revoked", "expired"])
        why = self.chance.choice(["", "suppressed"]) if status == "revoked" else ""
        gone = self.chance.random() < 0.2
        mail = self.mail(at, person) if status == "queued" and not gone else None
        row = Invitation.objects.create(
            survey=survey, contact=person, event=event, reason=str(self.number), status=status, status_reason=why,
            touchpoint=event.touchpoint if event else self.places[2], send_at=at, give_up_at=at, created_at=at,
            email=mail, properties={} if event else {"store": "Wien"},
            opened_on=at.date() if self.chance.random() < 0.3 else None,
            used_on=at.date() if self.chance.random() < 0.1 else None,
        )  # fmt: skip
        if self.chance.random() < 0.6:
            score = self.chance.choice([None, 3, 8, 9])
            Response.objects.create(
                survey=survey, invitation=row, score=score if survey.key == "nps" else None,
                comment=self.chance.choice(["", "Good", "Bad"]), answered_at=at, updated_at=at,
                is_suspected=self.chance.random() < 0.3,
            )  # fmt: skip
        return row

    def mail(self, at: datetime, person: Contact | None) -> OutgoingEmail:
        """A mail by a service that reports since FIRST_REPORT, or by one that never does."""
        relay = self.chance.choice([REPORTING, SILENT])
        states = [s for s in OutgoingEmail.Status.values if s not in ("delivered", "complained")] + ["sent"] * 4
        if relay == REPORTING and at >= FIRST_REPORT:
            states += ["delivered"] * 4 + ["complained"]
        status = self.chance.choice(states)
        has_left = status in ("sent", "delivered", "complained") or self.chance.random() < 0.2
        return OutgoingEmail.objects.create(
            reason=f"m{self.number}", to_email="a@example.com", from_header="b@example.com", subject="?",
            message_id=f"<{self.number}>", relay=relay, status=status, due_at=at, queued_at=at,
            sent_at=at if has_left else None, contact=person,
        )  # fmt: skip
