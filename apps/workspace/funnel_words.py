"""The funnel in words: its steps, and why some got no further, with links to what stands behind that."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from apps.insights.funnels import Funnel, Loss, Step
from apps.messaging.models import OutgoingEmail
from apps.triggers.reasons import sentence
from apps.workspace.proof_charts import Interval, interval

LABELS: dict[str, str | Promise] = {
    "happened": pgettext_lazy("funnel", "Events"),
    "decided": pgettext_lazy("funnel", "To be asked"),
    "sent": pgettext_lazy("funnel", "Sent or shown"),
    "delivered": pgettext_lazy("funnel", "Delivered"),
    "opened": pgettext_lazy("funnel", "Page opened"),
    "scored": pgettext_lazy("funnel", "Scored"),
    "commented": pgettext_lazy("funnel", "Commented"),
}
_OPEN_END: dict[str, Promise] = {
    "decided": gettext_lazy("Not decided yet."),
    "sent": gettext_lazy("Planned, or waiting for delivery."),
}
"""Why some got no further where nobody noted a reason; from the opened page on, nobody knows."""
_MAIL: dict[str, Promise] = {
    OutgoingEmail.Status.SENT: gettext_lazy("The mail service has not reported yet that it arrived."),
    OutgoingEmail.Status.BOUNCED: gettext_lazy("The mail bounced."),
    OutgoingEmail.Status.FAILED: gettext_lazy("The mail could not be sent."),
    OutgoingEmail.Status.UNKNOWN: gettext_lazy("Whether the mail left is not known."),
    OutgoingEmail.Status.REVOKED: gettext_lazy("The mail was withdrawn before sending."),
}
_ENDS: dict[str, Promise] = {
    "revoked": gettext_lazy("The invitation was taken back."),
    "expired": gettext_lazy("It was too late to ask."),
}
TOP = 3
"""Reasons told for each step; the others are counted together."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why so many got no further; ``url`` leads to them, "" if there is no list of them."""

    words: str | Promise
    number: int
    url: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A step of the funnel as it is shown. ``width`` is its bar's, ``range`` where its share of the one before lies."""

    label: str | Promise
    step: Step
    width: str
    range: Interval | None
    reasons: Sequence[Reason] = ()
    others: int = 0

    @property
    def is_first(self) -> bool:
        """Whether there is no step before."""
        return self.step.name == "happened"


def rows(found: Funnel, *, touchpoint: str) -> list[Row]:
    """The steps in order, each with the reasons why the others of the step before are missing."""
    told = []
    for step in found.steps:
        label = _first(found) if step.name == "happened" else LABELS[step.name]
        reasons = [reason for loss in step.losses if (reason := _reason(step, loss, touchpoint))]
        width = f"{100 * step.of_first.rate:.2f}%"
        others = sum(reason.number for reason in reasons[TOP:])
        told.append(Row(label, step, width, interval(step.of_before), reasons[:TOP], others))
    return told


def _first(found: Funnel) -> str | Promise:
    if not found.turns:
        return LABELS["happened"]
    return _("Turns and invitations") if found.turns == found.steps[0].number else _("Events and turns")


def _reason(step: Step, loss: Loss, touchpoint: str) -> Reason | None:
    """In words; None where there is nothing to say but that nobody knows."""
    if loss.of == "decision":
        query = {"reason": loss.code} | ({"touchpoint": touchpoint} if touchpoint else {})
        return Reason(sentence(loss.code), loss.number, f"{reverse('workspace:decisions')}?{urlencode(query)}")
    if loss.of == "invitation":
        return Reason(_ENDS.get(loss.code) or sentence(loss.code), loss.number)
    if loss.of == "mail":
        query = {"status": loss.code}
        words = _MAIL.get(loss.code) or loss.code
        return Reason(words, loss.number, f"{reverse('workspace:emails')}?{urlencode(query)}")
    if loss.of == "channel":
        return Reason(_("Asked another way than by this channel."), loss.number)
    return Reason(_OPEN_END[step.name], loss.number) if step.name in _OPEN_END else None
