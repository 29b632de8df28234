"""Answers and what followed from them. Pure: no Django."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from apps.common.segments import segment_of
from apps.common.texts import localized
from apps.workspace.demo.blueprint import Brand, Happening, SurveySpec, Window
from apps.workspace.demo.comments import Commentator, Opinion
from apps.workspace.demo.mailing import Person, Post, write_letter
from apps.workspace.demo.pace import fraction
from apps.workspace.demo.records import (
    AnswerRow,
    CaseRow,
    EnrolmentRow,
    InvitationRow,
    OutreachRow,
    Records,
    ResponseRow,
    RevisionRow,
    StepRunRow,
    Wiring,
)

STEP_DELAY = timedelta(minutes=1)
CASE_TIME = timedelta(days=2)
COMMENTED = {"promoter": 0.56, "passive": 0.6, "detractor": 0.78}


@dataclass(frozen=True, slots=True)
class Tale:
    """What all parts of one tenant's history share."""

    brand: Brand
    wiring: Wiring
    window: Window
    rng: Random
    records: Records

    def new_id(self, moment: datetime) -> UUID:
        """A version 7 UUID from the seeded generator, with the time of what it names."""
        rand = self.rng.getrandbits(74)
        value = int(moment.timestamp() * 1000) << 80 | 0x7 << 76 | (rand >> 62) << 64 | 0b10 << 62
        return UUID(int=value | rand & 0x3FFF_FFFF_FFFF_FFFF)


class Feedback:
    """Decides who answers what, and plays the follow-up campaigns."""

    def __init__(self, tale: Tale) -> None:
        self.brand, self.wiring, self.window, self.rng = tale.brand, tale.wiring, tale.window, tale.rng
        self.new_id, self.records = tale.new_id, tale.records
        self.post = Post(from_header=tale.wiring.from_header, domain=tale.brand.domain)
        self._commentator = Commentator(brand=tale.brand.slug, rng=tale.rng)
        self._names = {point.key: point.name for stage in tale.brand.stages for point in stage.touchpoints}
        self._campaigns = {campaign.segment: campaign for campaign in tale.brand.campaigns}

    def maybe_answer(self, person: Person, survey: SurveySpec, happening: Happening, invitation: InvitationRow) -> None:
        """An answer in the days after the invitation, or none."""
        rng = self.rng
        answered_at = invitation.send_at + timedelta(minutes=int(3 + rng.expovariate(1 / 900)))
        if rng.random() >= survey.answer_rate or answered_at > invitation.send_at + timedelta(days=8):
            return
        if answered_at >= self.window.end - timedelta(hours=1):
            return
        ratings = {d.key: self.brand.rate(rng, d.key, happening, self.window) for d in survey.drivers}
        score = self._score(survey, ratings, person)
        comment = ""
        if rng.random() < COMMENTED[segment_of(score)]:
            where = fraction(self.window, happening.at)
            news = frozenset(driver for driver, since in self.brand.news.items() if where >= since)
            opinion = Opinion(score, ratings, happening.properties, news)
            comment = self._commentator.compose(language=person.language, opinion=opinion)
        response = self._store(person, invitation, score, comment, answered_at)
        if rng.random() < 0.87:
            questions = self.wiring.surveys[survey.key].questions
            self.records.answers.extend(
                AnswerRow(response.id, questions[key], value) for key, value in ratings.items() if rng.random() < 0.96
            )
        self._follow_up(person, happening, response)

    def _score(self, survey: SurveySpec, ratings: dict[str, int], person: Person) -> int:
        """The ratings explain the score; temper and chance do the rest."""
        effect = sum(driver.weight * (ratings[driver.key] - 4) for driver in survey.drivers)
        return min(10, max(0, round(survey.base + effect + person.mood + self.rng.gauss(0, 0.7))))

    def _store(
        self, person: Person, invitation: InvitationRow, score: int, comment: str, answered_at: datetime
    ) -> ResponseRow:
        """The response; a few were changed later the same day."""
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
            comment=comment,
            locale=person.language,
            answered_at=answered_at,
            updated_at=updated_at,
            follow_up="enrolled",
        )
        self.records.responses.append(response)
        if updated_at > answered_at:
            before = min(10, max(0, score + self.rng.choice((-2, -1, 1, 2))))
            self.records.revisions.append(RevisionRow(response.id, before, "", updated_at))
        self.records.scores[answered_at.date(), response.survey_id, response.touchpoint_id, score] += 1
        return response

    def _follow_up(self, person: Person, happening: Happening, response: ResponseRow) -> None:
        """The campaign of the segment: a mail, and a case for detractors."""
        ids = self.wiring.campaigns[segment_of(response.score)]
        enrolled_at = response.answered_at + timedelta(seconds=2)
        enrolment_id = self.new_id(enrolled_at)
        self.records.enrolments.append(EnrolmentRow(enrolment_id, ids.campaign, response.id, enrolled_at))
        due_at = response.updated_at + STEP_DELAY
        done_at = due_at + timedelta(seconds=3)
        run_id = self.new_id(due_at)
        email_id = self._mail(person, happening, response, run_id, done_at)
        status, why = ("done", "") if email_id else ("skipped", "suppressed")
        runs = self.records.step_runs
        runs.append(StepRunRow(run_id, enrolment_id, ids.email_step, status, why, due_at, done_at, email_id))
        if ids.case_step is not None:
            # Opened as soon as the answer is in: nobody needs to wait for the mail.
            due_at = response.updated_at
            done_at = max(enrolled_at, due_at) + timedelta(seconds=1)
            run_id = self.new_id(due_at)
            runs.append(StepRunRow(run_id, enrolment_id, ids.case_step, "done", "", due_at, done_at, None))
            self._open_case(person, response, done_at)

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

    def _open_case(self, person: Person, response: ResponseRow, opened_at: datetime) -> None:
        """A case: fresh ones are new, old ones mostly solved, some lost."""
        rng = self.rng
        age = self.window.end - opened_at
        if age < timedelta(days=8):
            status = rng.choice(("new", "new", "contacted", "solved"))
        elif age < timedelta(days=25):
            status = rng.choice(("new", "contacted", "contacted", "solved", "solved"))
        else:
            status = rng.choices(("contacted", "solved", "lost"), (4, 78, 18))[0]
        closed_at = None
        if status in self.brand.outcomes:
            closed_at = min(opened_at + timedelta(hours=rng.randint(5, 96)), self.window.end - timedelta(minutes=5))
        self.records.cases.append(
            CaseRow(
                id=self.new_id(opened_at),
                response_id=response.id,
                contact_id=person.id,
                owner_id=rng.choice(self.wiring.owners) if self.wiring.owners and status != "new" else None,
                status=status,
                outcome=rng.choice(self.brand.outcomes[status]) if closed_at else "",
                opened_at=opened_at,
                due_at=opened_at + CASE_TIME,
                closed_at=closed_at,
            )
        )
