"""What became of one message: its story in the order of time, and what went wrong as a sentence with what to do."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.messaging.by_hand import NOTES
from apps.messaging.models import DeliveryEvent, OutgoingEmail, Pause
from apps.messaging.results import INTERRUPTED
from apps.triggers.reasons import CHANGES, SENTENCES

Status = OutgoingEmail.Status
Kind = DeliveryEvent.Kind

_SHAPES: dict[str, str] = {
    Kind.DELIVERED: "sent", Kind.OPENED: "sent", Kind.CLICKED: "sent", Kind.DEFERRED: "queued",
    Kind.SOFT_BOUNCE: "queued", Kind.HARD_BOUNCE: "bounced", Kind.COMPLAINED: "bounced", Kind.REJECTED: "bounced",
    Kind.UNSUBSCRIBED: "revoked",
}  # fmt: skip
_OUT_OF_OUR_HANDS = _("Nothing to do: it is tried again by itself, for about two days.")
_CALL_OPERATOR = _("It is tried again by itself. If it stays that way, tell whoever runs the platform.")
_SETTLE = _("Look into the recipient's mailbox or the mail service's own log, then say what you found.")


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened; ``words`` are somebody else's, ``shape`` is a status whose mark it gets."""

    at: datetime
    label: str | Promise
    words: str = ""
    shape: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What went wrong, what to do, and the other side's own words where there are any."""

    sentence: str | Promise
    advice: str | Promise = ""
    words: str = ""


_COMPLAINED = Trouble(
    _("The recipient reported this message as spam."),
    _("The address is blocked now. Nothing to do but to respect it."),
)
_BOUNCED = (
    _("The address does not take mail."),
    _("Ask the contact for a working address and enter it at the contact; this one is not written to again."),
)
_BROKEN: dict[str, Promise] = {
    "no connection": _("The mail service could not be reached."),
    "line lost": _("The connection to the mail service broke before this message left."),
}
_TEXT_MESSAGES = {
    "no_sms_service": Trouble(
        _("The platform has no service for text messages."),
        _("Whoever runs the platform can set one up; then try again. Or send no text messages: see the mail policy."),
    ),
    "text_too_long": Trouble(
        _("This is too long for a text message."), _("Write a shorter text for text messages in the mail template.")
    ),
    "no_text": Trouble(_("There was nothing to say in this text message."), ""),
}
_WITHOUT_WORDS: dict[str, Trouble] = {
    Status.BOUNCED: Trouble(*_BOUNCED),
    Status.FAILED: Trouble(
        _("The mail service refused this message."), _("Try again, or ask whoever runs the platform.")
    ),
}


def story(email: OutgoingEmail, events: Iterable[DeliveryEvent], notes: Iterable[LogEntry]) -> list[Moment]:
    """From queued to the last report, in the order of time."""
    found = [Moment(email.queued_at, _("queued"), shape="queued")]
    if email.sent_at is not None:
        found.append(Moment(email.sent_at, _("sent"), shape="sent"))
    found += [Moment(event.at, event.get_kind_display(), event.detail, _SHAPES.get(event.kind, "")) for event in events]
    for note in notes:
        who = note.user.get_full_name() or note.user.get_username()
        found.append(Moment(note.action_time, gettext(note.change_message), who))
    # At the same moment: queued, then sent, then what was reported.
    return sorted(found, key=lambda moment: moment.at)


def trouble_of(email: OutgoingEmail) -> Trouble | None:
    """Why a message waits, failed or was withdrawn; None where there is nothing to say."""
    if email.status == Status.COMPLAINED:
        return _COMPLAINED
    if email.status == Status.REVOKED:
        return _withdrawn(email.last_error)
    if email.status == Status.UNKNOWN:
        return _of_unknown(email.last_error)
    return _of_words(email.status, email.last_error) if email.last_error else _WITHOUT_WORDS.get(email.status)


def _of_words(status: str, error: str) -> Trouble:
    """From what was noted: a person's decision, a line that broke, or the other side's answer."""
    if error in _TEXT_MESSAGES:
        return _TEXT_MESSAGES[error]
    kind, _colon, rest = error.partition(": ")
    if error.startswith("settled by "):
        return Trouble(gettext("%(name)s said what became of it.") % {"name": error.removeprefix("settled by ")})
    if kind in _BROKEN:
        return Trouble(_BROKEN[kind], _CALL_OPERATOR, rest)
    return _of_answer(status, error)


def _withdrawn(code: str) -> Trouble:
    if code == "text_gone":
        return Trouble(_("It waited so long that its text was deleted before it left."), _("Send it anew."))
    return Trouble(SENTENCES.get(code, code), CHANGES.get(code, ""))


def _of_unknown(error: str) -> Trouble:
    if error == INTERRUPTED:
        return Trouble(_("The worker was stopped while it sent this message. Nobody knows whether it left."), _SETTLE)
    sentence = _("The connection broke while the mail service took this message. Nobody knows whether it left.")
    return Trouble(sentence, _SETTLE, error.removeprefix("line lost: "))


def _of_answer(status: str, error: str) -> Trouble:
    """The other side's answer: 4xx may work later, 5xx will not."""
    is_later = re.match(r"4\d\d\b", error) is not None
    if status == Status.BOUNCED:
        return Trouble(*_BOUNCED, error)
    if status == Status.FAILED:
        if is_later:
            sentence = _("The recipient's mail server put us off for about two days; then we gave up.")
            return Trouble(sentence, _("Try again if you know that it works now."), error)
        sentence = _("The mail service refused this message.")
        advice = _("Its own words say why; often it is the sender's domain. Mend that, then try again.")
        return Trouble(sentence, advice, error)
    if status in {Status.QUEUED, Status.PAUSED, Status.SENDING}:
        return Trouble(_("The recipient's mail server asked to come back later."), _OUT_OF_OUR_HANDS, error)
    return Trouble(_("The recipient's mail server said:"), "", error)


def pause_of(email: OutgoingEmail) -> Pause | None:
    """What holds a waiting message back: all of delivery, or its stream. One query where it waits."""
    if email.status not in {Status.QUEUED, Status.PAUSED}:
        return None
    return Pause.objects.filter(stream__in={"", email.stream}).order_by("stream").first()


def notes_of(email: OutgoingEmail) -> list[LogEntry]:
    """What people did about a message by hand."""
    about = ContentType.objects.get_for_model(OutgoingEmail)
    found = LogEntry.objects.filter(content_type=about, object_id=str(email.pk), change_message__in=NOTES.values())
    return list(found.select_related("user").order_by("action_time"))
