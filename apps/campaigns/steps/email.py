"""The step that answers by mail, in the tenant's words: the step's own, or those of a mail template."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from django.db.models import prefetch_related_objects
from django.utils.safestring import mark_safe

from apps.campaigns.steps.base import Run
from apps.common.texts import localized
from apps.common.variables import fill, one_line
from apps.contacts import ledger, preferences
from apps.contacts import services as contacts
from apps.contacts.budget import Entry
from apps.contacts.eligibility import FOLLOW_UPS
from apps.contacts.models import Contact, Outreach
from apps.messaging import channels
from apps.messaging import services as messaging
from apps.messaging.channels import Reach
from apps.messaging.templating import FOLLOW_UP
from apps.surveys import mail_templates, recheck
from apps.surveys.mail_templates import Compiled, Templates
from apps.surveys.mails import Letter, current_theme, html_paragraphs, language_of, render_letters, worded
from apps.surveys.models import Theme

VARIABLES = {"name", "score", "touchpoint", "brand"}


def run(runs: Sequence[Run]) -> None:
    """Write a mail per run, in one go; runs whose contact must not be mailed are skipped with the reason."""
    people = {run.response.contact.id: run.response.contact for run in runs if run.response.contact}
    allowed = contacts.with_legal_basis(contact_ids=list(people))
    reach = channels.reachable(people.values())
    refusing = preferences.refusing(contact_ids=list(people), kind=FOLLOW_UPS)
    countered = recheck.countered_invitations(invitation_ids=_invitations(runs))
    theme = current_theme()
    templates = Templates.of(FOLLOW_UP, theme, {run.row.step.template_id for run in runs})
    letters: dict[UUID, Letter] = {}
    own: dict[UUID, Compiled] = {}
    for run in runs:
        contact = run.response.contact
        objection = _objection(contact, allowed, reach, refusing)
        if run.response.invitation_id in countered:
            objection = objection or "counter_event"
        words = _template(run, contact, templates) if contact and not objection else None
        letter = None
        if contact and not objection:
            letter = _bare(run, contact, "") if words else _letter(run, contact, theme.brand_name)
        if letter is None:
            run.skip(objection or "no_text")
            continue
        letters[run.row.id] = letter
        if words:
            own[run.row.id] = words
    going = [run for run in runs if run.row.id in letters]
    _queue(going, letters | _in_own_words([run for run in going if run.row.id in own], letters, own, theme), theme)


def _template(run: Run, contact: Contact, templates: Templates) -> Compiled | None:
    """The step's template; the default one where the step has no words of its own."""
    step = run.row.step
    if step.template_id is None and step.subject and step.body:
        return None
    return templates.compiled(language_of(contact, run.response.locale), chosen=step.template_id)


def _in_own_words(
    runs: Sequence[Run], letters: dict[UUID, Letter], own: dict[UUID, Compiled], theme: Theme
) -> dict[UUID, Letter]:
    """The letters of these runs by their templates. At most two queries, for surveys and companies."""
    if any("survey" in words.names for words in own.values()):
        prefetch_related_objects([run.response for run in runs], "survey")
    triples = []
    for run in runs:
        words, letter, response = own[run.row.id], letters[run.row.id], run.response
        survey = response.survey if "survey" in words.names else None
        about = mail_templates.about(survey, response.touchpoint, letter.language)
        facts = {**about, "score": _score(run), "comment": response.comment[: mail_templates.MAX_COMMENT]}
        triples.append((letter, words, facts))
    return dict(zip([run.row.id for run in runs], worded(triples, theme), strict=True))


def _queue(runs: Sequence[Run], letters: dict[UUID, Letter], theme: Theme) -> None:
    if not runs:
        return
    now = runs[0].now
    mails = render_letters(list(letters.values()), base_url=runs[0].base_url, theme=theme)
    ids = messaging.enqueue(mails=mails, now=now)
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


def _objection(contact: Contact | None, allowed: set[UUID], reach: Reach, refusing: set[UUID]) -> str:
    if contact is None:
        return "contact_gone"
    address = reach.addresses.get(contact.id)
    if address is None:
        return "no_address"
    if address in reach.blocked:
        return "suppressed"
    if contact.id not in allowed:
        return "no_legal_basis"
    return "preference" if contact.id in refusing else ""


def _score(run: Run) -> str:
    return "" if run.response.score is None else str(run.response.score)


def _bare(run: Run, contact: Contact, subject: str) -> Letter:
    """A letter with its address and without words."""
    return Letter(
        reason=f"step:{run.row.id}",
        contact=contact,
        template="follow_up",
        subject=subject,
        context={},
        language=language_of(contact, run.response.locale),
        stream=f"campaign:{run.row.step.campaign_id}",
    )


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
        "score": _score(run),
        "touchpoint": localized(response.touchpoint.name, language) if response.touchpoint else "",
        "brand": brand,
    }
    body = body.replace("\r\n", "\n")
    return replace(
        _bare(run, contact, one_line(fill(subject, values))),
        context={"body": mark_safe(body), "paragraphs": html_paragraphs(body)},  # noqa: S308
        values=values,
        key=(step.pk, bare, body),
    )
