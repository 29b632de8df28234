"""Whether detractors come back happier, and whether they do so more often where somebody got in touch.

Of each contact its first detractor answer of the span counts, and its next scored answer within ``DAYS`` decides.
Answers of machines and imported ones count for neither. Contacted is who, after that answer and before the next one
(or until its days are over), was

- got in touch with by a person: the first contact of a case of theirs was noted (cases that went into another one do
  not count), or a personal mail from a case reached them; or
- reached by a mail of a campaign only.

A mail reached somebody if it was sent and did not come back.

Rates are of those who answered again. Were silence of those whose days are over counted as “not recovered”, whoever was
contacted lately, since there are cases, would look better than whoever was not, long ago. How many stayed silent is
told beside it, and the share of all those whose days are over (``of_all``).
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from apps.common.bulk import fetch_rows
from apps.common.shares import Part, newcombe, verdict
from apps.insights.case_slices import Slice
from apps.messaging.models.outbox import ANSWERS, ANSWERS_WANTED

DAYS = 180
MAX_DAYS = 730
MINIMUM = 30
"""Contacts that answered again in each part below which nothing is said of the difference."""
NOBODY, MAIL, PERSON = "nobody", "mail", "person"
WAYS = (PERSON, MAIL, NOBODY)
"""How they were contacted."""
_ARRIVED = "m.status IN ('sent', 'delivered', 'complained')"
_RECOVERY = f"""
    WITH first AS (
        SELECT DISTINCT ON (r.contact_id) r.id, r.contact_id, r.score, r.answered_at
        FROM responses_response r
        WHERE r.score <= 6 AND NOT r.is_suspected AND r.channel <> 'import' AND r.contact_id IS NOT NULL
          AND r.answered_at >= %(since)s AND r.answered_at < %(over)s
          AND (%(touchpoint)s::bigint IS NULL OR r.touchpoint_id = %(touchpoint)s)
          AND (%(owner)s::bigint IS NULL OR EXISTS (
              SELECT FROM cases_case c
              WHERE c.response_id = r.id AND c.owner_id = %(owner)s AND c.merged_into_id IS NULL
          ))
        ORDER BY r.contact_id, r.answered_at, r.id
    ), told AS (
        SELECT first.*, next.score AS next_score, first.answered_at + %(within)s <= %(now)s AS is_over,
               LEAST(COALESCE(next.answered_at, first.answered_at + %(within)s), %(now)s) AS ends_at
        FROM first LEFT JOIN LATERAL (
            SELECT n.score, n.answered_at FROM responses_response n
            WHERE n.contact_id = first.contact_id AND n.score IS NOT NULL AND NOT n.is_suspected
              AND n.channel <> 'import' AND (n.answered_at, n.id) > (first.answered_at, first.id)
              AND n.answered_at <= LEAST(first.answered_at + %(within)s, %(now)s)
            ORDER BY n.answered_at, n.id LIMIT 1
        ) AS next ON TRUE
    ), reached AS (
        SELECT told.*,
            EXISTS (
                SELECT FROM cases_case c
                WHERE c.contact_id = told.contact_id AND c.merged_into_id IS NULL
                  AND c.first_contact_at >= told.answered_at AND c.first_contact_at < told.ends_at
            ) OR EXISTS (
                SELECT FROM messaging_outgoingemail m
                WHERE m.contact_id = told.contact_id AND m.queued_at >= told.answered_at
                  AND m.sent_at < told.ends_at AND m.stream = ANY(%(answers)s) AND {_ARRIVED}
            ) AS by_person,
            EXISTS (
                SELECT FROM messaging_outgoingemail m
                JOIN campaigns_steprun s ON s.email_id = m.id AND s.kind = 'email'
                WHERE m.contact_id = told.contact_id AND m.queued_at >= told.answered_at
                  AND m.sent_at < told.ends_at AND {_ARRIVED}
            ) AS by_mail
        FROM told
    )
    SELECT CASE WHEN by_person THEN 'person' WHEN by_mail THEN 'mail' ELSE 'nobody' END,
           date_trunc('month', answered_at AT TIME ZONE 'UTC')::date,
           count(*), count(next_score), count(*) FILTER (WHERE next_score > score),
           count(*) FILTER (WHERE next_score >= 7), count(*) FILTER (WHERE is_over),
           count(next_score) FILTER (WHERE is_over), count(*) FILTER (WHERE is_over AND next_score > score)
    FROM reached GROUP BY 1, 2
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Group:
    """Detractors, and what became of them."""

    detractors: int = 0
    answered: int = 0
    """Answered again within their days."""
    higher: int = 0
    """Of those: with a higher score."""
    risen: int = 0
    """Of those: no longer as a detractor."""
    over: int = 0
    """Of all: their days are over, whether they answered or not."""
    over_answered: int = 0
    over_higher: int = 0

    def __add__(self, other: "Group") -> "Group":
        return Group(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))

    @property
    def recovered(self) -> Part:
        """Of those who answered again: with a higher score."""
        return Part(self.answered, self.higher)

    @property
    def no_detractors(self) -> Part:
        """Of those who answered again: no longer detractors."""
        return Part(self.answered, self.risen)

    @property
    def came_back(self) -> Part:
        """Of those whose days are over: answered again."""
        return Part(self.over, self.over_answered)

    @property
    def of_all(self) -> Part:
        """Of those whose days are over: answered again with a higher score. Who stayed silent did not recover."""
        return Part(self.over, self.over_higher)

    @property
    def waiting(self) -> int:
        """Have not answered again, with days left."""
        return self.detractors - self.answered - self.silent

    @property
    def silent(self) -> int:
        """Have not answered again, and their days are over."""
        return self.over - self.over_answered


@dataclass(frozen=True, slots=True)
class Difference:
    """One share against another. Differences are shares, -1 to 1."""

    one: Part
    other: Part

    @property
    def value(self) -> float:
        """How much larger the first is."""
        return self.one.rate - self.other.rate

    @property
    def bounds(self) -> tuple[float, float]:
        """Within what it lies, with 95 % confidence."""
        return newcombe(self.one, self.other)

    @property
    def verdict(self) -> str:
        """``too_few``, ``chance``, ``better`` or ``worse``."""
        return verdict(self.one, self.other, at_least=MINIMUM)


@dataclass(frozen=True, slots=True)
class Recovery:
    """What became of the detractors of a span: by how they were contacted, and by the month of their answer."""

    days: int
    ways: dict[str, Group] = field(default_factory=dict)
    months: dict[date, Group] = field(default_factory=dict)

    @property
    def total(self) -> Group:
        """All of them."""
        return sum(self.ways.values(), Group())

    @property
    def contacted(self) -> Group:
        """By a person or by a mail."""
        return self.ways[PERSON] + self.ways[MAIL]

    @property
    def left_alone(self) -> Group:
        """Not contacted."""
        return self.ways[NOBODY]

    @property
    def effect(self) -> Difference:
        """Those contacted against the others: whose next score is higher."""
        return Difference(self.contacted.recovered, self.left_alone.recovered)

    @property
    def effect_out(self) -> Difference:
        """The same for being no longer a detractor."""
        return Difference(self.contacted.no_detractors, self.left_alone.no_detractors)


def recovery(*, wanted: Slice, now: datetime, days: int = DAYS) -> Recovery:
    """What became of the detractors who answered in the span, the owner's if one is named. One query."""
    params = {**wanted.params(now), "within": timedelta(days=days), "answers": [ANSWERS, ANSWERS_WANTED]}
    ways: dict[str, Group] = dict.fromkeys(WAYS, Group())
    months: dict[date, Group] = defaultdict(Group)
    for way, month, *numbers in fetch_rows(_RECOVERY, params):
        group = Group(*numbers)
        ways[way] += group
        months[month] += group
    return Recovery(days, ways, dict(sorted(months.items())))
