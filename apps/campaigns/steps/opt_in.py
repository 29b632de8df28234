"""The step that asks by mail whether we may write (double opt-in)."""

from collections.abc import Collection, Sequence
from uuid import UUID

from apps.campaigns.runs import Run
from apps.common.texts import localized
from apps.contacts import preferences
from apps.contacts import services as contacts
from apps.contacts.eligibility import FOLLOW_UPS
from apps.contacts.models import Contact
from apps.messaging import opt_in, suppressions
from apps.messaging.opt_in import Ask
from apps.surveys.mails import language_of


def run(runs: Sequence[Run]) -> None:
    """Have each run's contact asked; runs whose contact must not, or need not, be asked are skipped with the reason.

    Whether the address was asked too often shows when the mail is written; the request says so then.
    """
    if not runs:
        return
    people = {run.response.contact.id: run.response.contact for run in runs if run.response.contact}
    ids = list(people)
    confirmed = contacts.with_confirmed_consent(contact_ids=ids)
    # Out of the blue the question itself would be advertising (OLG München, 29 U 1682/12): there must be a reason.
    known = contacts.with_any_basis(contact_ids=ids)
    blocked = suppressions.suppressed(emails={c.email for c in people.values() if c.email})
    refusing = preferences.refusing(contact_ids=ids, kind=FOLLOW_UPS)
    asks = []
    for run in runs:
        contact = run.response.contact
        ask = _ask(run, contact) if contact else None
        objection = _objection(contact, confirmed, known, blocked, refusing)
        if objection or ask is None:
            run.skip(objection or "no_text")
        else:
            asks.append(ask)
            run.done()
    opt_in.request(asks=asks, now=runs[0].now)


def _objection(
    contact: Contact | None,
    confirmed: Collection[UUID],
    known: Collection[UUID],
    blocked: Collection[str],
    refusing: Collection[UUID],
) -> str:
    if contact is None:
        return "contact_gone"
    checks = (
        (not contact.email, "no_address"),
        (contact.email in blocked, "suppressed"),
        (contact.id in confirmed, "already_confirmed"),
        (contact.id not in known, "no_legal_basis"),
        (contact.id in refusing, "preference"),
    )
    return next((reason for objects, reason in checks if objects), "")


def _ask(run: Run, contact: Contact) -> Ask | None:
    """The question in the contact's language; None if the step has no words for it."""
    language = language_of(contact, run.response.locale)
    wording = localized(run.setting("body") or {}, language)  # type: ignore[arg-type]
    if not wording or not contact.email:
        return None
    return Ask(
        reason=f"step:{run.row.id}",
        email=contact.email,
        contact_id=contact.id,
        source=f"campaign:{run.row.enrolment.campaign.name}",
        text_version=f"campaign:{run.row.enrolment.version_id}:{run.row.step_key}",
        wording=wording.replace("\r\n", "\n").strip(),
        language=language,
    )
