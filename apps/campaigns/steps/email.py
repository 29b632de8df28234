"""The step that answers by mail, in the tenant's words."""

from collections.abc import Sequence
from uuid import UUID

from django.utils.safestring import SafeString, mark_safe

from apps.campaigns.steps.base import Run
from apps.common.patterns import escaped_around
from apps.common.texts import localized
from apps.common.variables import fill, one_line
from apps.contacts import ledger, preferences
from apps.contacts import services as contacts
from apps.contacts.budget import Entry
from apps.contacts.eligibility import FOLLOW_UPS
from apps.contacts.models import Contact, Outreach
from apps.messaging import services as messaging
from apps.messaging import suppressions
from apps.surveys import recheck
from apps.surveys.mails import Letter, current_theme, language_of, render_letters

VARIABLES = {"name", "score", "touchpoint", "brand"}


def run(runs: Sequence[Run]) -> None:
    """Write a mail per run, in one go; runs whose contact must not be mailed are skipped with the reason."""
    people = {run.response.contact.id: run.response.contact for run in runs if run.response.contact}
    allowed = contacts.with_legal_basis(contact_ids=list(people))
    suppressed = suppressions.suppressed(emails={c.email for c in people.values() if c.email})
    refusing = preferences.refusing(contact_ids=list(people), kind=FOLLOW_UPS)
    countered = recheck.countered_invitations(invitation_ids=_invitations(runs))
    brand = current_theme().brand_name
    letters: dict[UUID, Letter] = {}
    for run in runs:
        contact = run.response.contact
        objection = _objection(contact, allowed, suppressed, refusing)
        if run.response.invitation_id in countered:
            objection = objection or "counter_event"
        letter = _letter(run, contact, brand) if contact and not objection else None
        if letter is None:
            run.skip(objection or "no_text")
        else:
            letters[run.row.id] = letter
    _queue([run for run in runs if run.row.id in letters], letters)


def _queue(runs: Sequence[Run], letters: dict[UUID, Letter]) -> None:
    if not runs:
        return
    now = runs[0].now
    ids = messaging.enqueue(mails=render_letters(list(letters.values()), base_url=runs[0].base_url), now=now)
    plans = recheck.plans_of(invitation_ids=_invitations(runs))
    entries = []
    for run in runs:
        letter, plan = letters[run.row.id], plans.get(run.response.invitation_id or run.row.id)
        entries.append((letter.contact.id, Entry(letter.reason, now, plan=recheck.revocable(plan))))
    ledger.enter(entries=entries, kind=Outreach.Kind.FOLLOW_UP, state=Outreach.State.SPENT)
    for run in runs:
        run.row.email_id = ids[letters[run.row.id].reason]
        run.done()


def _invitations(runs: Sequence[Run]) -> list[UUID]:
    return [run.response.invitation_id for run in runs if run.response.invitation_id]


def _objection(contact: Contact | None, allowed: set[UUID], suppressed: set[str], refusing: set[UUID]) -> str:
    if contact is None:
        return "contact_gone"
    if not contact.email:
        return "no_address"
    if contact.email in suppressed:
        return "suppressed"
    if contact.id not in allowed:
        return "no_legal_basis"
    return "preference" if contact.id in refusing else ""


def _letter(run: Run, contact: Contact, brand: str) -> Letter | None:
    """The step's words for this answer; the “tell us more” variant when there is no comment."""
    step, response = run.row.step, run.response
    language = language_of(contact, response.locale)
    bare = not response.comment.strip()
    subject = localized((bare and step.subject_no_comment) or step.subject, language)
    body = localized((bare and step.body_no_comment) or step.body, language)
    if not subject or not body:
        return None
    values = {
        "name": one_line(contact.name),
        "score": "" if response.score is None else str(response.score),
        "touchpoint": localized(response.touchpoint.name, language) if response.touchpoint else "",
        "brand": brand,
    }
    body = body.replace("\r\n", "\n")
    return Letter(
        reason=f"step:{run.row.id}",
        contact=contact,
        template="follow_up",
        subject=one_line(fill(subject, values)),
        language=language,
        context={"body": mark_safe(body), "paragraphs": _paragraphs(body)},  # noqa: S308
        values=values,
        key=(step.pk, bare, body),
        stream=f"campaign:{step.campaign_id}",
    )


def _paragraphs(body: str) -> list[SafeString]:
    """The tenant's text as HTML; its places stay, and take each mail's own values when it is sent."""
    parts = [part for part in escaped_around(body).split("\n\n") if part.strip()]
    return [mark_safe(part.replace("\n", "<br>")) for part in parts]  # noqa: S308
