"""What a link leads to: everything that its page needs, in one query."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from apps.common import tokens
from apps.common.db import connection, fetch_prepared
from apps.responses import after_links
from apps.surveys import versions
from apps.surveys.definition import COMMENT, NPS, OPT_IN, SINGLE, YES_NO, Answers, Definition, Facts, Value
from apps.surveys.links import LINK_LIFETIME
from apps.surveys.models import Invitation, Survey, Theme

_SELECT = """
SELECT i.id, i.status, i.link_expires_at, i.used_on, COALESCE(i.properties, '{}')::text,
       r.id, r.score, r.comment, r.call_back, r.channel, r.locale, r.is_partial, r.answered_at, r.properties::text,
       (SELECT json_object_agg(a.question_id, CASE WHEN a.text <> '' THEN to_json(a.text)
               WHEN a.value IS NOT NULL THEN to_json(a.value) ELSE to_json(a.choices) END)
        FROM @.responses_answer a WHERE a.response_id = r.id)::text,
       s.id, s.key, s.is_active, s.archived_at, s.closes_at, s.is_public, s.public_properties::text, s.is_anonymous,
       s.incentive::text, v.id, v.definition::text,
       t.id, t.key, t.name::text, c.id IS NOT NULL, c.locale, c.properties::text, c.country, e.properties::text,
       (SELECT string_agg(w.origin, ' ') FROM @.surveys_website w),
       (SELECT row_to_json(th) FROM (SELECT brand_name, accent, on_accent, font, imprint_url, privacy_url, logo_digest
                                     FROM @.surveys_theme LIMIT 1) th)::text
"""
_BY_HIT = """
FROM ({hit}) AS hit
LEFT JOIN @.surveys_invitation i ON i.id = hit.invitation_id
LEFT JOIN @.responses_response r ON r.id = COALESCE(
    hit.response_id, (SELECT x.id FROM @.responses_response x WHERE x.invitation_id = hit.invitation_id))
JOIN @.surveys_survey s ON s.id = COALESCE(r.survey_id, i.survey_id)
LEFT JOIN @.surveys_surveyversion v ON v.id = COALESCE(
    r.version_id, (SELECT y.id FROM @.surveys_surveyversion y WHERE y.id = %(version)s AND y.survey_id = s.id),
    s.current_version_id)
LEFT JOIN @.touchpoints_touchpoint t ON t.id = COALESCE(r.touchpoint_id, i.touchpoint_id)
LEFT JOIN @.contacts_contact c ON c.id = COALESCE(r.contact_id, i.contact_id)
LEFT JOIN @.touchpoints_event e ON e.id = i.event_id
LIMIT 1"""
_LINKED = """
SELECT id AS invitation_id, NULL::uuid AS response_id FROM @.surveys_invitation WHERE token_hash = %(hash)s
UNION ALL SELECT invitation_id, id FROM @.responses_response WHERE token_hash = %(hash)s
"""
# Anonymous answers have no contact, and of erased contacts nobody is left to change them.
_CONTACTS_OWN = """
SELECT invitation_id, id AS response_id FROM @.responses_response WHERE id = %(response)s AND contact_id IS NOT NULL
"""
_BY_TOKEN = _SELECT + _BY_HIT.format(hit=_LINKED)
_BY_RESPONSE = _SELECT + _BY_HIT.format(hit=_CONTACTS_OWN)
_BY_SURVEY = (
    _SELECT  # noqa: S608 - constants
    + """
FROM @.surveys_survey s
LEFT JOIN @.surveys_invitation i ON false
LEFT JOIN @.responses_response r ON false
LEFT JOIN @.surveys_surveyversion v ON v.id = COALESCE(
    (SELECT y.id FROM @.surveys_surveyversion y WHERE y.id = %(version)s AND y.survey_id = s.id),
    s.current_version_id)
LEFT JOIN @.touchpoints_touchpoint t ON t.id = %(touchpoint)s
LEFT JOIN @.contacts_contact c ON false
LEFT JOIN @.touchpoints_event e ON false
WHERE """
)
_BY_KEY = _BY_SURVEY + "s.key = %(key)s AND s.is_public"
_BY_ID = _BY_SURVEY + "s.id = %(id)s"


@dataclass(frozen=True, slots=True)
class Given:
    """A response as far as its page is concerned."""

    id: UUID
    answers: Answers
    call_back: str
    channel: str
    locale: str
    is_partial: bool
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """A survey that a link leads to, with the invitation and the response that belong to it, if any."""

    survey_id: int
    survey_key: str
    definition: Definition
    version_id: int | None
    theme: Theme
    is_open: bool
    is_public: bool
    public_properties: tuple[str, ...] = ()
    invitation_id: UUID | None = None
    is_shown: bool = False
    """Whether the invitation was shown on a page, not mailed."""
    expires_at: datetime | None = None
    used_on: date | None = None
    response: Given | None = None
    touchpoint_id: int | None = None
    touchpoint_key: str = ""
    touchpoint: Mapping[str, str] = field(default_factory=dict)
    locale: str = ""
    is_known: bool = False
    """Whether there is a contact."""
    facts: Facts = field(default_factory=dict)
    frame_ancestors: tuple[str, ...] = ()

    @property
    def answers(self) -> Answers:
        """What has been answered so far."""
        return self.response.answers if self.response else {}


def by_token(token: str, *, now: datetime, version: int | None = None) -> Found | None:
    """What a personal link, or the link that an answer got, leads to; ``version`` is the one that its page showed."""
    return _one(_BY_TOKEN, {"hash": tokens.hash_token(token), "version": version}, now)


def by_link(token: str, *, now: datetime, version: int | None = None) -> Found | None:
    """What any link to one answer leads to: those of :func:`by_token`, or the one of a mail that came after it."""
    if len(token) == tokens.TOKEN_LENGTH:
        return by_token(token, now=now, version=version)
    link = after_links.read(after_links.ANSWER, token, now=now)
    return by_response(link.response_id, expires_at=link.expires_at, now=now) if link else None


def by_response(response_id: UUID, *, expires_at: datetime, now: datetime) -> Found | None:
    """What a link to a contact's response leads to; None if it is nobody's (any more)."""
    found = _one(_BY_RESPONSE, {"response": response_id, "version": None}, now)
    return replace(found, expires_at=expires_at) if found else None


def by_key(key: str, *, touchpoint: int | None, now: datetime) -> Found | None:
    """The survey behind a public link; None if there is none or it is not public."""
    return _one(_BY_KEY, {"key": key, "touchpoint": touchpoint, "version": None}, now)


def by_id(survey_id: int, *, touchpoint: int | None, version: int | None, now: datetime) -> Found | None:
    """The survey of a ticket, in the version that its page showed."""
    return _one(_BY_ID, {"id": survey_id, "touchpoint": touchpoint, "version": version}, now)


def with_properties(found: Found, properties: Mapping[str, Any]) -> Found:
    """The same, knowing what the address says."""
    known = {**found.facts.get("property", {}), **properties}
    return replace(found, facts={**found.facts, "property": known})


def _one(statement: str, params: Mapping[str, Any], now: datetime) -> Found | None:
    row = fetch_prepared(_in_schema(statement, connection.schema_name), params)
    return _found(row, now) if row else None


@lru_cache(maxsize=4096)
def _in_schema(statement: str, schema_name: str) -> str:
    """The query for one tenant. The schema name is one that passed ``is_valid_schema_name``."""
    return statement.replace("@.", f'"{schema_name}".')


def _found(row: Any, now: datetime) -> Found:
    (invitation_id, invitation_status, expires_at, used_on, page_properties,
     response_id, score, comment, call_back, channel, locale, is_partial, answered_at, link_properties, answers,
     survey_id, survey_key, is_active, archived_at, closes_at, is_public, public_properties, is_anonymous,
     incentive, version_id, definition_text,
     touchpoint_id, touchpoint_key, touchpoint, is_known, contact_locale, contact_properties, country, event_properties,
     origins, theme) = row  # fmt: skip
    definition = versions.read(definition_text or _unpublished(survey_id, is_anonymous, incentive))
    said = _answers(definition, score, comment, _json(answers))
    given = Given(response_id, said, call_back, channel, locale, is_partial, answered_at)
    facts: Facts = {
        "property": {**_json(event_properties), **_json(page_properties), **_json(link_properties)},
        "contact": {**_json(contact_properties), "country": country},
    }
    if invitation_id is None and answered_at:
        expires_at = answered_at + LINK_LIFETIME
    return Found(
        survey_id=survey_id,
        survey_key=survey_key,
        definition=definition,
        version_id=version_id,
        theme=Theme(**json.loads(theme)) if theme else Theme(brand_name="Resonanz"),
        is_open=is_active and archived_at is None and (closes_at is None or now < closes_at),
        is_public=is_public,
        public_properties=tuple(_json(public_properties, [])),
        invitation_id=invitation_id,
        is_shown=invitation_status == Invitation.Status.SHOWN,
        expires_at=expires_at,
        used_on=used_on,
        response=given if response_id else None,
        touchpoint_id=touchpoint_id,
        touchpoint_key=touchpoint_key or "",
        touchpoint=_json(touchpoint),
        locale=contact_locale or "",
        is_known=is_known,
        # From the second page on nobody knows any more who answers anonymously: the first must not ask by it either.
        facts={} if definition.is_anonymous and invitation_id else facts,
        frame_ancestors=tuple((origins or "").split()),
    )


def _unpublished(survey_id: int, is_anonymous: bool, incentive: str) -> str:
    """The document of a survey that has no version yet."""
    survey = Survey(pk=survey_id, is_anonymous=is_anonymous, incentive=_json(incentive))
    return json.dumps(versions.current_document(survey))


def _json(text: str | None, empty: Any = None) -> Any:
    return json.loads(text) if text else ({} if empty is None else empty)


def _answers(definition: Definition, score: int | None, comment: str | None, rows: Mapping[str, Any]) -> Answers:
    """Answers by question key; the score and the comment are the response's own."""
    found: dict[str, Value] = {}
    for question in definition.questions:
        value = rows.get(str(question.id))
        if question.kind == NPS:
            value = score
        elif question.kind == COMMENT:
            value = comment or None
        elif question.kind in (YES_NO, OPT_IN) and value is not None:
            value = value if isinstance(value, str) else bool(value)
        elif question.kind == SINGLE and value:
            value = value[0]
        if value is not None:
            found[question.key] = value
    return found
