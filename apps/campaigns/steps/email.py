"""The step that answers by mail, in the tenant's words: the step's own, or those of a mail template."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from django.db.models import prefetch_related_objects
from django.utils.safestring import mark_safe

from apps.campaigns.runs import Run
from apps.campaigns.steps import words as own_words
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
from apps.surveys.mails import Letter, current_theme, html_paragraphs, language_of, place, render_letters, worded
from apps.surveys.models import Theme
from apps.surveys.recheck import Candidate

Values = dict[UUID, dict[str, str]]
GIVE_UP_AFTER = timedelta(days=60)
"""So long a mail that keeps to the contact budget waits for a place in it."""


def run(runs: Sequence[Run]) -> None:
    """Write a mail per run, in one go; runs whose contact must not be mailed are skipped with the reason."""
    people = {run.response.contact.id: run.response.contact for run in runs if run.response.contact}
    allowed = contacts.with_legal_basis(contact_ids=list(people))
    reach = channels.reachable(people.values())
    refusing = preferences.refusing(contact_ids=list(people), kind=FOLLOW_UPS)
    theme = current_theme()
    chosen = {pk for run in runs if isinstance(pk := run.setting("template"), int)}
    templates = Templates.of(FOLLOW_UP, theme, chosen)
    values = _values(runs, theme)
    letters: dict[UUID, Letter] = {}
    own: dict[UUID, Compiled] = {}
    for run in runs:
        contact = run.response.contact
        objection = _objection(contact, allowed, reach, refusing)
        words = _template(run, contact, templates) if contact and not objection else None
        if contact and not objection and own_words.lack_voucher(_written(run, contact, words), values[run.row.id]):
            objection = "no_voucher"
        letter = None
        if contact and not objection:
            letter = _bare(run, contact, "") if words else _letter(run, contact, values[run.row.id])
        if letter is None:
            run.skip(objection or "no_text")
            continue
        letters[run.row.id] = letter
        if words:
            own[run.row.id] = words
    ready = [run for run in runs if run.row.id in letters]
    # Those that keep to the contact budget come last: what goes out just now counts for them.
    for keeps in (False, True):
        group = [run for run in ready if bool(run.setting("within_budget")) is keeps]
        if keeps:
            _keep_to_budget(group)
        going = [run for run in group if run.is_open]
        in_words = _in_own_words([run for run in going if run.row.id in own], letters, own, values, theme)
        _queue(going, letters | in_words, theme)


def letter_of(run: Run, templates: Templates, theme: Theme, more: Mapping[str, str]) -> Letter | None:
    """The letter of a run that is only looked at, to whoever it is; None without words. ``more``: vouchers, links."""
    contact = run.response.contact
    if contact is None:
        return None
    language = language_of(contact, run.response.locale)
    values = {**own_words.values_of(run, language, theme.brand_name), **more}
    words, pk = _template(run, contact, templates), run.row.id
    if words is None:
        return _letter(run, contact, values)
    return _in_own_words([run], {pk: _bare(run, contact, "")}, {pk: words}, {pk: values}, theme)[pk]


def _values(runs: Sequence[Run], theme: Theme) -> Values:
    """What each mail may name. Vouchers are read only where a sequence issues any."""
    issuing = [run for run in runs if any(step.kind == "voucher" for step in run.sequence)]
    issued = own_words.vouchers(issuing) if issuing else {}
    found = {}
    for run in runs:
        language = language_of(run.response.contact, run.response.locale)
        about = own_words.values_of(run, language, theme.brand_name)
        found[run.row.id] = {**about, **own_words.voucher_values(issued.get(run.row.enrolment_id), language)}
    return found


def _keep_to_budget(runs: Sequence[Run]) -> None:
    """Hold the mails for which the contact budget has no place yet, and skip those for which it has none at all."""
    if not runs:
        return
    now = runs[0].now
    contacts.lock(contact_ids=sorted({run.response.contact_id for run in runs if run.response.contact_id}))
    candidates = [
        Candidate(
            run.row.id,
            run.response.contact,
            Entry(f"step:{run.row.id}", now, give_up_at=(run.row.planned_at or now) + GIVE_UP_AFTER),
        )
        for run in runs
    ]
    verdicts = recheck.weigh_again(candidates, now).verdicts
    for run in runs:
        verdict = verdicts[run.row.id]
        if verdict.at is None:
            run.skip(verdict.reason)
        elif verdict.at > now:
            run.hold("budget", verdict.at)


def _template(run: Run, contact: Contact, templates: Templates) -> Compiled | None:
    """The step's template; the default one where the step has no words of its own."""
    chosen = run.setting("template")
    if chosen is None and run.setting("subject") and run.setting("body"):
        return None
    language = language_of(contact, run.response.locale)
    return templates.compiled(language, chosen=chosen if isinstance(chosen, int) else None)


def _in_own_words(
    runs: Sequence[Run], letters: Mapping[UUID, Letter], own: Mapping[UUID, Compiled], values: Values, theme: Theme
) -> dict[UUID, Letter]:
    """The letters of these runs by their templates. At most one query, for companies."""
    if runs and any("company.name" in words.names for words in own.values()):
        prefetch_related_objects([run.response for run in runs], "contact__company")
    triples = []
    for run in runs:
        words, letter, response = own[run.row.id], letters[run.row.id], run.response
        about = mail_templates.about(response.survey, response.touchpoint, letter.language)
        comment = response.comment[: mail_templates.MAX_COMMENT]
        triples.append((letter, words, {**values[run.row.id], **about, "comment": comment}))
    return dict(zip([run.row.id for run in runs], worded(triples, theme), strict=True))


def _queue(runs: Sequence[Run], letters: Mapping[UUID, Letter], theme: Theme) -> None:
    if not runs:
        return
    now = runs[0].now
    mails = render_letters([letters[run.row.id] for run in runs], base_url=runs[0].base_url, theme=theme)
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


def _bare(run: Run, contact: Contact, subject: str) -> Letter:
    """A letter with its address and without words."""
    return Letter(
        reason=f"step:{run.row.id}",
        contact=contact,
        template="follow_up",
        subject=subject,
        context={},
        language=language_of(contact, run.response.locale),
        stream=f"campaign:{run.row.enrolment.campaign_id}",
    )


def _letter(run: Run, contact: Contact, values: Mapping[str, str]) -> Letter | None:
    """The step's words for this answer; the “tell us more” variant when there is no comment."""
    language = language_of(contact, run.response.locale)
    bare = not run.response.comment.strip()
    subject = _text(run, "subject", bare, language)
    body = _text(run, "body", bare, language).replace("\r\n", "\n")
    if not subject or not body:
        return None
    label = _text(run, "button", False, language)
    link = own_words.address(run.setting("button_url"), values) if label else ""
    context = {
        "body": mark_safe(f"{body}\n\n{label}: {place('button_link')}" if link else body),  # noqa: S308
        "paragraphs": html_paragraphs(body),
        "button": label if link else "",
        "button_link": place("button_link"),
    }
    return replace(
        _bare(run, contact, one_line(fill(subject, values))),
        context=context,
        values={**values, "button_link": link} if link else values,
        key=(run.row.enrolment.version_id, run.row.step_key, bare, language, bool(link)),
    )


def _written(run: Run, contact: Contact, words: Compiled | None) -> tuple[str, ...]:
    """What a mail says before it is filled: by its template, else in the step's own words."""
    if words is not None:
        return words.subject, words.words.text
    language, bare = language_of(contact, run.response.locale), not run.response.comment.strip()
    return _text(run, "subject", bare, language), _text(run, "body", bare, language)


def _text(run: Run, name: str, bare: bool, language: str) -> str:
    """One of the step's texts; where the comment is missing the one for that, if there is one."""
    instead = run.setting(f"{name}_no_comment") if bare else None
    return localized(instead or run.setting(name) or {}, language)  # type: ignore[arg-type]
