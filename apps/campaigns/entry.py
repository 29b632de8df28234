"""Which campaign a response enters."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from apps.campaigns.facts import Facts, gather
from apps.campaigns.models import Campaign, Enrolment, Segment, StepRun
from apps.campaigns.sequence import parse_entry
from apps.common.conditions import Condition, ConditionError
from apps.common.segments import segment_of
from apps.responses.models import Response
from apps.surveys.models import Invitation
from apps.triggers import segments
from apps.triggers.rules import sampled


def segment_of_response(response: Response) -> str:
    """Whose answer it is; "" without a score, which is nobody's."""
    return "" if response.score is None else segment_of(response.score)


class Entrance:
    """The campaigns that are open to a batch of responses, with all that has to be known to choose.

    A bounded number of queries: one per segment of contacts in use, and those of :func:`apps.campaigns.facts.gather`.
    A campaign whose condition or segment is broken takes nobody: the others go on.
    """

    def __init__(self, campaigns: Sequence[Campaign], responses: Sequence[Response], now: datetime) -> None:
        self._now = now
        self._conditions: dict[int, Condition | None] = {}
        for campaign in campaigns:
            if campaign.condition:
                self._conditions[campaign.pk] = _condition(campaign)
        self._campaigns = sorted(campaigns, key=_rank, reverse=True)
        self._members = _members(campaigns, responses, now)
        fields = frozenset[str]().union(*(c.fields for c in self._conditions.values() if c))
        self._facts: Mapping[UUID, Facts] = gather(responses=responses, fields=fields) if fields else {}

    def campaign_for(self, response: Response) -> Campaign | None:
        """The one of the highest priority that fits, then the most specific one; None if there is none."""
        return next((campaign for campaign in self._campaigns if self.fits(campaign, response)), None)

    def fits(self, campaign: Campaign, response: Response) -> bool:
        """Whether a response may enter a campaign, whatever other campaigns there are."""
        segment = segment_of_response(response)
        if not segment or campaign.segment not in (Segment.ANY, segment):
            return False
        if campaign.survey_id not in (None, response.survey_id):
            return False
        if campaign.touchpoint_id not in (None, response.touchpoint_id):
            return False
        if campaign.contact_segment_id and response.contact_id not in self._members[campaign.contact_segment_id]:
            return False
        if not campaign.condition:
            return True
        condition = self._conditions[campaign.pk]
        return condition is not None and condition.test(self._facts.get(response.pk, {}), self._now)


def _condition(campaign: Campaign) -> Condition | None:
    try:
        return parse_entry(campaign.condition)
    except ConditionError:
        return None


def _rank(campaign: Campaign) -> tuple[int, bool, bool, bool, bool, bool, int]:
    """The higher the sooner; of two that are equal the older one."""
    return (
        campaign.priority,
        campaign.contact_segment_id is not None,
        campaign.touchpoint_id is not None,
        campaign.survey_id is not None,
        bool(campaign.condition),
        campaign.segment != Segment.ANY,
        -campaign.pk,
    )


def _members(
    campaigns: Sequence[Campaign], responses: Sequence[Response], now: datetime
) -> dict[int, Collection[UUID]]:
    """Contact segment → those of the responses' contacts that belong to it. One query per segment in use."""
    people = {response.contact_id for response in responses if response.contact_id}
    found: dict[int, Collection[UUID]] = {}
    for segment in {campaign.contact_segment for campaign in campaigns if campaign.contact_segment}:
        try:
            found[segment.pk] = segments.members(condition=segment.condition, of=people, now=now)
        except ConditionError:
            found[segment.pk] = set()
    return found


def is_left_out(campaign: Campaign, contact_id: UUID | None) -> bool:
    """Whether a contact belongs to the share that gets nothing, for comparison: always the same contacts."""
    if contact_id is None or not campaign.holdout_percent:
        return False
    return sampled(f"campaign:{campaign.pk}", contact_id.bytes) < campaign.holdout_percent


def rounds(responses: Sequence[Response]) -> dict[UUID, dict[int, int]]:
    """Of responses that a campaign asked for: campaign → the round of the enrolment that asked. Two queries."""
    asked = {row.invitation_id: row.pk for row in responses if row.invitation_id}
    reasons = dict(Invitation.objects.filter(pk__in=asked, reason__startswith="step:").values_list("reason", "id"))
    if not reasons:
        return {}
    by_run = {UUID(reason.removeprefix("step:")): asked[invitation] for reason, invitation in reasons.items()}
    rows = StepRun.objects.filter(pk__in=by_run).values_list("pk", "enrolment__campaign_id", "enrolment__round")
    return {by_run[pk]: {campaign: number} for pk, campaign, number in rows}


def enrolment(
    campaign: Campaign, response: Response, now: datetime, known: Mapping[UUID, Mapping[int, int]]
) -> Enrolment:
    """A response's enrolment in a campaign, not saved yet. Who is left out for comparison is done with at once."""
    left_out = is_left_out(campaign, response.contact_id)
    return Enrolment(
        campaign=campaign,
        version=campaign.current_version,
        response=response,
        contact_id=response.contact_id,
        arm=Enrolment.Arm.HOLDOUT if left_out else Enrolment.Arm.TREATED,
        state=Enrolment.State.DONE if left_out else Enrolment.State.RUNNING,
        end_reason="holdout" if left_out else "",
        ended_at=now if left_out else None,
        round=known.get(response.pk, {}).get(campaign.pk, 0) + 1,
        had_comment=bool(response.comment.strip()),
        enrolled_at=now,
    )
