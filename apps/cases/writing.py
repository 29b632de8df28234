"""A colleague's own mail to the contact of a case, and whether it may be written."""

from collections.abc import Mapping
from datetime import datetime
from html import escape
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.cases import addresses, services
from apps.cases.errors import CaseError, MergedError
from apps.cases.models import Case, CaseMail
from apps.cases.services import Changes
from apps.common.ids import uuid7
from apps.common.variables import one_line
from apps.contacts import ledger
from apps.contacts.budget import Entry
from apps.contacts.models import Contact, LegalBasis, Outreach
from apps.messaging import services as messaging
from apps.messaging.frames import Words
from apps.messaging.identities import default_sender
from apps.messaging.models import OutgoingEmail, Suppression
from apps.messaging.models.outbox import ANSWERS, ANSWERS_WANTED
from apps.messaging.services import NewEmail
from apps.messaging.suppressions import BINDING, address_hash
from apps.surveys.mail_parts import base_context, current_theme
from apps.surveys.mail_templates import wrapped
from apps.surveys.mails import language_of
from apps.surveys.models import Theme

MAX_TEXT, MAX_SUBJECT = 20_000, 200
MAX_REFERENCES = 10

SENTENCES: Mapping[str, Promise | str] = {
    "merged": _("This case went into another one. Write from there."),
    "contact_gone": _("This answer belongs to no contact, or the contact was deleted."),
    "no_address": _("No e-mail address is known for this contact."),
    "bounced": _("The address does not take mails: a former one came back. Ask for another address by telephone."),
    "blocked": _("This address was blocked by hand or by an import. Lift the suppression first if that was a mistake."),
    "unsubscribed": _("This person wants no more messages from you and has neither written to you in this case nor "
                      "asked to be called."),
    "complained": _("This person reported a message of yours as unwanted and has not written to you in this case "
                    "since."),
    "objected": _("This person objected to messages from you and has neither written to you in this case nor asked to "
                  "be called."),
}  # fmt: skip
"""What each code that :func:`may_write` returns means, and what can be done."""


class NotAllowedError(CaseError):
    """This contact must not be written to; ``code`` is one of SENTENCES."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    @property
    def sentence(self) -> str:
        """The reason as a sentence."""
        return str(SENTENCES[self.code])


class EmptyError(CaseError):
    """A mail says something, and not more than ``MAX_TEXT`` characters."""

    code = "text"


def may_write(case: Case) -> str:
    """Why the case's contact must not be written to, one of SENTENCES; "" if they may. At most four queries.

    A personal answer needs no consent. Who wants no messages gets none, unless they wrote in this case or asked to be
    called; an address that bounced never does.
    """
    contact = case.contact
    if case.merged_into_id is not None:
        return "merged"
    if contact is None:
        return "contact_gone"
    if not contact.email:
        return "no_address"
    block = _block(contact)
    if block is not None and block.reason not in BINDING:
        return "bounced" if block.reason == Suppression.Reason.BOUNCED else "blocked"
    if block is not None:
        return "" if _is_wanted(case, block) else str(block.reason)
    return "objected" if _has_objected(contact) and not _is_wanted(case, None) else ""


def _block(contact: Contact) -> Suppression | None:
    return Suppression.objects.filter(address_hash=address_hash(contact.email or ""), lifted_at=None).first()


def _has_objected(contact: Contact) -> bool:
    """Whether every reason to write that there was has ended."""
    ended = list(LegalBasis.objects.filter(contact=contact).values_list("revoked_at", flat=True))
    return bool(ended) and None not in ended


def _is_wanted(case: Case, block: Suppression | None) -> bool:
    """Whether the contact asked for an answer themselves: after a complaint, if there was one."""
    mails = CaseMail.objects.filter(
        case=case, direction=CaseMail.Direction.IN, kind=CaseMail.Kind.PERSONAL, is_doubtful=False
    )
    if block is not None and block.reason == Suppression.Reason.COMPLAINED:
        return mails.filter(at__gt=block.created_at).exists()
    return bool(case.response.call_back) or mails.exists()


@transaction.atomic
def write(
    *, case_id: UUID, subject: str, text: str, by: AbstractBaseUser | None, now: datetime, base_url: str
) -> CaseMail:
    """Write to the case's contact; the mail leaves by the outbox, and counts in the contact budget.

    ``text`` goes as it is: nothing in it is a variable or HTML. Without a subject it goes on with the last mail's.
    Raises Case.DoesNotExist, MergedError, NotAllowedError, or EmptyError.
    """
    text = text.replace("\r\n", "\n").replace("\x00", "").strip()
    if not text or len(text) > MAX_TEXT:
        raise EmptyError(f"{len(text)} characters")
    rows = Case.objects.select_for_update(of=("self",)).select_related("contact", "response", "merged_into")
    case = rows.get(pk=case_id)
    if case.merged_into_id is not None:
        raise MergedError(case)
    code = may_write(case)
    contact = case.contact
    if code or contact is None:
        raise NotAllowedError(code or "contact_gone")
    language = language_of(contact, case.response.locale)
    earlier = list(CaseMail.objects.filter(case=case, kind=CaseMail.Kind.PERSONAL).order_by("-at", "-pk")[:50])
    mail = CaseMail(
        id=uuid7(), case=case, direction=CaseMail.Direction.OUT, author_id=by.pk if by else None, text=text, at=now,
        subject=_subject(subject, earlier, language),
    )  # fmt: skip
    mail.email = _send(mail, contact, earlier, language, by, base_url, now)
    mail.message_id, mail.from_address = mail.email.message_id, mail.email.from_header[:320]
    mail.save()
    ledger.enter(
        entries=[(contact.id, Entry(mail.email.reason, now))],
        kind=Outreach.Kind.FOLLOW_UP,
        state=Outreach.State.SPENT,
    )
    if case.status == Case.Status.NEW:
        services.change(case_id=case.pk, revision=None, changes=Changes(status=Case.Status.CONTACTED), by=by, now=now)
    return mail


def suggested_subject(case: Case) -> str:
    """What a mail's subject is if nobody writes another. One query."""
    earlier = list(CaseMail.objects.filter(case=case, kind=CaseMail.Kind.PERSONAL).order_by("-at", "-pk")[:1])
    return _subject("", earlier, language_of(case.contact, case.response.locale))


def _send(
    mail: CaseMail,
    contact: Contact,
    earlier: list[CaseMail],
    language: str,
    by: AbstractBaseUser | None,
    base_url: str,
    now: datetime,
) -> OutgoingEmail:
    theme = current_theme()
    reply_to = addresses.reply_address(case_id=mail.case_id)
    words = _words(theme, language, can_reply=bool(reply_to) or default_sender().pk is not None)
    wanted = ANSWERS_WANTED if _is_wanted(mail.case, _block(contact)) else ANSWERS
    new = NewEmail(
        reason=f"case_mail:{mail.pk}",
        contact_id=contact.id,
        to_email=contact.email or "",
        to_name=contact.name,
        subject=mail.subject,
        text=words.text,
        html=words.html,
        headers=_thread(earlier),
        values={"text": mail.text, "body_html": _html(mail.text)},
        stream=wanted,
        needs_legal_basis=False,
        language=language,
        person=_signed_by(by, language),
        reply_to=reply_to,
    )
    ids = messaging.enqueue(mails=[new], now=now)
    return OutgoingEmail.objects.get(pk=ids[new.reason])


def _subject(written: str, earlier: list[CaseMail], language: str) -> str:
    """What was written, else “Re:” and the last mail's."""
    subject = one_line(written)[:MAX_SUBJECT]
    if subject:
        return subject
    last = one_line(earlier[0].subject) if earlier else ""
    if not last:
        with translation.override(language):
            last = gettext("Your feedback")
    answer = last if last.lower().startswith(("re:", "aw:")) else f"Re: {last}"
    return answer[:MAX_SUBJECT]


def _thread(earlier: list[CaseMail]) -> dict[str, str]:
    """Headers by which mail programs put the mail where it belongs (RFC 5322, 3.6.4); ``earlier`` is newest first."""
    ids = [one.message_id for one in earlier if one.message_id and not one.message_id.endswith(".invalid>")]
    if not ids:
        return {}
    known = list(reversed(ids))
    # The first one, and the nearest: a header's line ends somewhere.
    kept = known if len(known) <= MAX_REFERENCES else [known[0], *known[-MAX_REFERENCES + 1 :]]
    return {"In-Reply-To": ids[0], "References": " ".join(kept)}


def _signed_by(by: AbstractBaseUser | None, language: str) -> str:
    """“Ada Lovelace from Nordwind”; "" where nobody's name is known: what they sign in with is nobody's business."""
    person = one_line(str(getattr(by, "get_full_name", lambda: "")())) if by is not None else ""
    if not person:
        return ""
    with translation.override(language):
        return gettext("%(person)s from %(brand)s") % {"person": person, "brand": default_sender().name}


def _words(theme: Theme, language: str, *, can_reply: bool) -> Words:
    """What all these mails share, in the tenant's look; the text itself has a place in it."""
    context = {**base_context(theme, language), "can_reply": can_reply}
    with translation.override(language):
        text = render_to_string("mail/case.txt", context)
        html = render_to_string("mail/case.html", context)
    return Words(text, wrapped(html))


def _html(text: str) -> str:
    """The text as HTML, by paragraphs; escaped, nothing in it is markup."""
    parts = [escape(part.strip("\n")).replace("\n", "<br>\n") for part in text.split("\n\n") if part.strip()]
    return "\n".join(f'<p style="margin:0 0 16px">{part}</p>' for part in parts)
