"""Answers and what followed from them. Pure: no Django."""

from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple
from uuid import UUID

from apps.common.segments import segment_of
from apps.common.texts import localized
from apps.workspace.demo.blueprint import Happening, SurveySpec
from apps.workspace.demo.caring import Care
from apps.workspace.demo.comments import Commentator, Opinion
from apps.workspace.demo.mailing import Person, Post, write_letter
from apps.workspace.demo.pace import fraction
from apps.workspace.demo.records import (
    AnswerRow,
    EnrolmentRow,
    InvitationRow,
    OutreachRow,
    ResponseRow,
    RevisionRow,
    StepRunRow,
)
from apps.workspace.demo.tale import Tale

STEP_DELAY = timedelta(minutes=1)
COMMENTED = {"promoter": 0.56, "passive": 0.6, "detractor": 0.78}
LEFT_ALONE = -1.4
"""What it does to a detractor's mood not to be answered."""


class Said(NamedTuple):
    """What was answered, when, and whether something was promised for it."""

    score: int
    comment: str
    at: datetime
    was_promised: bool


class Feedback:
    """Decides who answers what, and plays the follow-up campaigns."""

    def __init__(self, tale: Tale) -> None:
        self.brand, self.wiring, self.window, self.rng = tale.brand, tale.wiring, tale.window, tale.rng
        self.new_id, self.records = tale.new_id, tale.records
        self.post = Post(from_header=tale.wiring.from_header, domain=tale.brand.domain)
        self._commentator = Commentator(brand=tale.brand.slug, rng=tale.rng)
        self._names = {"": tale.brand.relation.name} | {point.key: point.name for point in tale.brand.points}
        self._care = Care(tale)
        self._campaigns = {campaign.segment: campaign for campaign in tale.brand.campaigns}

    def maybe_answer(
        self, person: Person, survey: SurveySpec, happening: Happening, invitation: InvitationRow
    ) -> datetime | None:
        """An answer in the days after the invitation, or none; returns when it was given."""
        rng = self.rng
        answered_at = invitation.send_at + timedelta(minutes=int(3 + rng.expovariate(1 / 900)))
        if rng.random() >= survey.answer_rate or answered_at > invitation.send_at + timedelta(days=8):
            return None
        if answered_at >= self.window.end - timedelta(hours=1):
            return None
        ratings = {d.key: self.brand.rate(rng, d.key, happening, self.window) for d in survey.drivers}
        score = self._score(survey, ratings, person)
        comment = ""
        if rng.random() < COMMENTED[segment_of(score)]:
            where = fraction(self.window, happening.at)
            news = frozenset(driver for driver, since in self.brand.news.items() if where >= since)
            opinion = Opinion(score, ratings, happening.properties, news)
            comment = self._commentator.compose(language=person.language, opinion=opinion)
        said = Said(score, comment, answered_at, bool(survey.incentive))
        response = self._store(person, invitation, said)
        if rng.random() < 0.87:
            questions = self.wiring.surveys[survey.key].questions
            self.records.answers.extend(
                AnswerRow(response.id, questions[key], value, [])
                for key, value in ratings.items()
                if rng.random() < 0.96
            )
            self._answer_more(survey, ratings, response)
        person.memories[happening.touchpoint] = score - survey.base - person.mood
        self._follow_up(person, happening, response)
        return answered_at

    def _answer_more(self, survey: SurveySpec, ratings: dict[str, int], response: ResponseRow) -> None:
        """How satisfied, and of detractors the reasons: what they rated worst is the likeliest."""
        # Of its own, so that what is drawn here leaves the rest of the year as it is.
        rng = Random(str(response.id))  # noqa: S311 - made-up people, not secrets
        ids = self.wiring.surveys[survey.key]
        if ids.satisfaction is not None and rng.random() < 0.95:
            value = min(5, max(1, round(response.score / 2 + rng.gauss(0, 0.6))))
            self.records.answers.append(AnswerRow(response.id, ids.satisfaction, value, []))
        if ids.reasons is None or segment_of(response.score) != "detractor" or rng.random() > 0.92:
            return
        weights = [
            option.weight * ((5.2 - ratings[option.driver]) ** 1.5 if option.driver else 1) for option in survey.reasons
        ]
        number = 1 if survey.takes_one else rng.choice((1, 1, 1, 2, 2))
        drawn = set(rng.choices([option.key for option in survey.reasons], weights, k=number))
        chosen = [option.key for option in survey.reasons if option.key in drawn]
        self.records.answers.append(AnswerRow(response.id, ids.reasons, None, chosen))

    def _score(self, survey: SurveySpec, ratings: dict[str, int], person: Person) -> int:
        """The ratings explain the score; temper and chance do the rest."""
        effect = sum(driver.weight * (ratings[driver.key] - 4) for driver in survey.drivers)
        temper = person.mood
        if survey.memory:  # About the whole: what was lived through counts, and more of it where it was asked.
            known = [weight * person.memories[key] for key, weight in survey.memory.items() if key in person.memories]
            temper = sum(known) + self.rng.gauss(0, 1.0 if known else 1.4)
        return min(10, max(0, round(survey.base + effect + temper + self.rng.gauss(0, 0.7))))

    def _store(self, person: Person, invitation: InvitationRow, said: Said) -> ResponseRow:
        """The response; a few were changed later the same day."""
        score, answered_at = said.score, said.at
        updated_at = answered_at
        if self.rng.random() < 0.03:
            updated_at = answered_at + timedelta(seconds=self.rng.randint(20, 50))
        response = ResponseRow(
            id=self.new_id(answered_at),
            invitation_id=invitation.id,
            survey_id=invitation.survey_id,
            touchpoint_id=invitation.touchpoint_id,
            contact_id=person.id,
            score=score,
            comment=said.comment,
            locale=person.language,
            answered_at=answered_at,
            updated_at=updated_at,
            follow_up="none" if self._is_left_alone(score, answered_at) else "enrolled",
            is_incentivised=said.was_promised,
        )
        self.records.responses.append(response)
        if updated_at > answered_at:
            before = min(10, max(0, score + self.rng.choice((-2, -1, 1, 2))))
            self.records.revisions.append(RevisionRow(response.id, before, "", updated_at))
        cell = (answered_at.date(), response.survey_id, response.touchpoint_id, response.is_incentivised, score)
        self.records.scores[cell] += 1
        return response

    def _is_left_alone(self, score: int, at: datetime) -> bool:
        """Whether this answer gets none."""
        return segment_of(score) == "detractor" and fraction(self.window, at) < self.brand.cares_since

    def _follow_up(self, person: Person, happening: Happening, response: ResponseRow) -> None:
        """The campaign of the segment: a mail, and a case for detractors."""
        if self._is_left_alone(response.score, response.answered_at):
            person.mood += LEFT_ALONE
            return
        ids = self.wiring.campaigns[segment_of(response.score)]
        enrolled_at = response.answered_at + timedelta(seconds=2)
        enrolment_id = self.new_id(enrolled_at)
        runs: list[tuple[str, str, str, datetime, datetime, UUID, UUID | None]] = []
        began_at = max(enrolled_at, response.updated_at)
        if ids.opens_case:
            done_at = began_at + timedelta(seconds=1)
            runs.append(("case", "done", "", response.updated_at, done_at, self.new_id(began_at), None))
            self._care.open(person, response, done_at)
            began_at = done_at
        due_at = began_at + STEP_DELAY
        waited_at = due_at + timedelta(seconds=1)
        runs.append(("wait", "done", "", due_at, waited_at, self.new_id(began_at), None))
        run_id = self.new_id(waited_at)
        done_at = waited_at + timedelta(seconds=2)
        email_id = self._mail(person, happening, response, run_id, done_at)
        status, why = ("done", "") if email_id else ("skipped", "suppressed")
        runs.append(("email", status, why, waited_at, done_at, run_id, email_id))
        self.records.enrolments.append(
            EnrolmentRow(enrolment_id, ids.campaign, ids.version, response.id, person.id, "done", enrolled_at, done_at)
        )
        for position, (kind, status, why, due_at, ended_at, pk, mail_id) in enumerate(runs, start=1):
            key = "mail" if kind == "email" else kind
            row = StepRunRow(pk, enrolment_id, key, kind, position, status, why, due_at, due_at, ended_at, mail_id)
            self.records.step_runs.append(row)

    def _mail(
        self, person: Person, happening: Happening, response: ResponseRow, run_id: UUID, at: datetime
    ) -> UUID | None:
        """The campaign's mail, unless the contact must not be mailed any more."""
        if person.is_blocked(at):
            return None
        campaign = self._campaigns[segment_of(response.score)]
        values = {
            "score": str(response.score),
            "touchpoint": localized(self._names[happening.touchpoint], person.locale),
            "brand": self.brand.name,
        }
        words = write_letter(person, campaign.letter if response.comment else campaign.no_comment, values)
        reason = f"step:{run_id}"
        stream = f"campaign:{self.wiring.campaigns[segment_of(response.score)].campaign}"
        mail_id = self.new_id(at)
        mail = self.post.sent(mail_id=mail_id, reason=reason, stream=stream, person=person, words=words, at=at)
        self.records.emails.append(mail)
        self.records.outreaches.append(OutreachRow(person.id, "follow_up", reason, at, "spent"))
        person.outreaches.append(at)
        return mail.id
