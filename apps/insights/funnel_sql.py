"""How far each event, and each turn of a cadence, got: one statement, and what is put into it."""

import re
from datetime import UTC, datetime, time, timedelta
from typing import Any

from apps.insights.places import Places
from apps.insights.slices import Period, Slice
from apps.responses.models import Response
from apps.surveys.models import Invitation
from apps.triggers.segments import subquery

Params = dict[str, Any]

# What is counted is an occasion: an event, or where no event led to it, the turn of a cadence or the invitation itself.
# Each of its rules and invitations says how far it got, as a digit with the reason why no further; the largest counts.
# So no step can have more than the one before. What a mail service never reports on counts as delivered once it is
# sent; where it reports, what it has not reported does not.
_STATEMENT = """
WITH {whom} happened AS MATERIALIZED (
    SELECT e.id FROM touchpoints_event e
    WHERE e.occurred_at >= %(start)s AND e.occurred_at < %(end)s {event}
), reporting AS MATERIALIZED (
    SELECT relay, channel, min(queued_at) AS since FROM messaging_outgoingemail
    WHERE queued_at >= %(start)s AND status IN ('delivered', 'complained') GROUP BY relay, channel
), unasked AS (
    SELECT s.id FROM surveys_survey s
    WHERE NOT EXISTS (SELECT FROM surveys_question q WHERE q.survey_id = s.id AND q.kind = 'nps' AND NOT q.is_retired)
), decided AS (
    SELECT h.id AS occasion, true AS is_event, d.status, d.reason
    FROM happened h {join} triggers_decision d ON d.event_id = h.id WHERE true {rule}
    UNION ALL
    SELECT d.id, false, d.status, d.reason FROM triggers_decision d
    WHERE d.event_id IS NULL AND d.decided_at >= %(start)s AND d.decided_at < %(end)s {rule} {turn}
), invited AS (
    SELECT h.id AS occasion, true AS is_event, {columns}
    FROM happened h JOIN surveys_invitation i ON i.event_id = h.id {survey}
    UNION ALL
    SELECT COALESCE(d.id, i.id), false, {columns}
    FROM surveys_invitation i LEFT JOIN triggers_decision d ON d.invitation_id = i.id
    WHERE i.event_id IS NULL AND COALESCE(d.decided_at, i.created_at) >= %(start)s
        AND COALESCE(d.decided_at, i.created_at) < %(end)s {survey} {invitation}
), got AS (
    SELECT occasion, is_event,
        CASE WHEN status IN ('scheduled', 'deferred') THEN '1'
             WHEN status IS NULL THEN '0' ELSE '0decision:' || reason END AS far,
        NULL::date AS opened_on
    FROM decided
    UNION ALL
    SELECT i.occasion, i.is_event, CASE
        WHEN {elsewhere} THEN '1channel:'
        WHEN (r.score IS NOT NULL OR r.survey_id IN (SELECT id FROM unasked)) AND NOT r.is_suspected
            THEN CASE WHEN r.comment <> '' THEN '6' ELSE '5' END
        WHEN i.used_on IS NOT NULL THEN '5'
        WHEN i.opened_on IS NOT NULL OR i.status = 'shown' OR NOT r.is_suspected THEN '4'
        WHEN i.status <> 'queued' THEN '1' || CASE WHEN i.status = 'scheduled' THEN '' ELSE
            'invitation:' || COALESCE(NULLIF(i.status_reason, ''), i.status) END
        WHEN m.id IS NULL OR m.status IN ('delivered', 'complained') THEN '3'
        WHEN m.status = 'sent' AND (n.since IS NULL OR m.queued_at < n.since) THEN '3'
        WHEN m.sent_at IS NOT NULL OR m.status = 'bounced' THEN '2mail:' || m.status
        WHEN m.status IN ('queued', 'paused', 'sending') THEN '1'
        ELSE '1mail:' || m.status END, i.opened_on
    FROM invited i
    LEFT JOIN messaging_outgoingemail m ON m.id = i.email_id
    LEFT JOIN reporting n ON n.relay = m.relay AND n.channel = m.channel
    LEFT JOIN responses_response r ON r.invitation_id = i.id
)
SELECT is_event, far, count(*), min(opened_on)
FROM (
    SELECT is_event, max(far COLLATE "C") AS far, min(opened_on) AS opened_on FROM got GROUP BY occasion, is_event
) AS best
GROUP BY 1, 2
"""
_COLUMNS = "i.id, i.status, i.status_reason, i.used_on, i.opened_on, i.email_id"
# A rule that was deleted is not known any more, but what it led to is.
_OF_SURVEY = """
AND (d.rule_id IN (SELECT id FROM triggers_triggerrule WHERE survey_id = %(survey)s)
    OR d.cadence_id IN (SELECT id FROM triggers_cadence WHERE survey_id = %(survey)s)
    OR d.invitation_id IN (SELECT id FROM surveys_invitation WHERE survey_id = %(survey)s))
"""
_CHANNELS: dict[str, str] = {
    Response.Channel.EMAIL: Invitation.Status.QUEUED,
    Response.Channel.EMBED: Invitation.Status.SHOWN,
}
"""How an invitation by this channel stands once it is on its way."""
_CADENCES_AT = "AND d.cadence_id IN (SELECT id FROM triggers_cadence WHERE touchpoint_id = ANY(%(touchpoints)s))"


def statement(*, wanted: Slice, places: Places, period: Period, now: datetime) -> tuple[str, Params]:
    """The statement for a slice and a period, and its parameters. Raises ConditionError.

    Its rows are: whether it was an event; how far it got (a digit, 0 to 6) and why no further (nothing where nobody
    noted that), in one text; how many; and the first day on which a page of theirs is noted as opened.
    """
    params: Params = {
        "start": datetime.combine(period.since, time(), UTC),
        "end": datetime.combine(period.until + timedelta(days=1), time(), UTC),
        "survey": places.survey_id,
        "touchpoints": places.touchpoint_ids,
    }
    whom = _whom(wanted, places, now, params)
    trait = wanted.trait if wanted.trait and not _is_of_contact(wanted.trait.name) else None
    if trait:
        params |= {"trait": trait.name, "told": trait.value}

    def narrowed(table: str, *, touchpoint: str = "") -> str:
        """The conditions on a table's rows."""
        parts = [f"AND {table}.contact_id IN (SELECT id FROM whom)"] if whom else []  # noqa: S608
        if places.touchpoint_ids is not None:
            parts.append(touchpoint or f"AND {table}.touchpoint_id = ANY(%(touchpoints)s)")
        if trait:  # The turn of a cadence has no properties.
            parts.append("AND false" if table == "d" else f"AND {table}.properties->>%(trait)s = %(told)s")
        return " ".join(parts)

    text = _STATEMENT.format(
        whom=f"whom AS MATERIALIZED ({whom})," if whom else "",
        columns=_COLUMNS,
        event=narrowed("e"),
        rule=_OF_SURVEY if wanted.survey else "",
        turn=narrowed("d", touchpoint=_CADENCES_AT),
        survey="AND i.survey_id = %(survey)s" if wanted.survey else "",
        invitation=narrowed("i"),
        # An event that no rule of the survey looked at is none of its.
        join="JOIN" if wanted.survey else "LEFT JOIN",
        elsewhere=_elsewhere(wanted.channel),
    )
    return text, params


def _elsewhere(channel: str) -> str:
    """When an invitation went, or will go, another way than by the channel."""
    if not channel:
        return "false"
    status = _CHANNELS.get(channel)
    if status is None:
        return "true"
    return "i.status = 'shown'" if status == Invitation.Status.QUEUED else "i.status <> 'shown'"


def _is_of_contact(name: str) -> bool:
    return name.startswith(("contact.", "company."))


def _whom(wanted: Slice, places: Places, now: datetime, params: Params) -> str:
    """A query of the ids of the contacts that count; "" where everybody does, also who is not known any more."""
    parts = []
    if wanted.language:
        parts.append(
            "(lower(c.locale) = lower(%(language)s) OR starts_with(lower(c.locale), lower(%(language)s) || '-'))"
        )
        params["language"] = wanted.language
    if wanted.company_id is not None:
        parts.append("c.company_id = %(company)s")
        params["company"] = wanted.company_id
    if wanted.trait and _is_of_contact(wanted.trait.name):
        of, _dot, name = wanted.trait.name.partition(".")
        parts.append(f"{'c' if of == 'contact' else 'o'}.properties->>%(trait)s = %(told)s")
        params |= {"trait": name, "told": wanted.trait.value}
    if places.segment is not None:
        members = subquery(condition=places.segment.condition, now=now)
        parts.append(f"c.id IN ({_named(members.sql, members.params, params)})")
    if not parts:
        return ""
    joined = "contacts_contact c LEFT JOIN contacts_company o ON o.id = c.company_id"
    return f"SELECT c.id FROM {joined} WHERE {' AND '.join(parts)}"  # noqa: S608 - names of our own


def _named(text: str, values: Any, params: Params) -> str:
    """SQL whose parameters are named instead of counted."""
    rest = iter(enumerate(values))

    def name(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return found[0]
        number, value = next(rest)
        params[f"member_{number}"] = value
        return f"%(member_{number})s"

    return re.sub("%%|%s", name, text)
