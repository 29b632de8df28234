"""Kinds of steps, and why one was not taken, in words and icons."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.triggers.reasons import sentence

STEPS: dict[str, Promise] = {
    "email": _("e-mail"),
    "wait": _("wait"),
    "branch": _("branch"),
    "case": _("case"),
    "voucher": _("voucher"),
    "tag": _("tag"),
    "webhook": _("webhook"),
    "task": _("task in the CRM"),
    "ask": _("ask again"),
    "opt_in": _("request for consent"),
    "stop": _("end"),
}
STEP_ICONS = {
    "email": "mail", "wait": "hourglass", "branch": "split", "case": "life-buoy", "voucher": "ticket", "tag": "tag",
    "webhook": "radio-tower", "task": "square-check", "ask": "message-circle-question-mark", "opt_in": "mail-check",
    "stop": "circle-stop",
}  # fmt: skip
UNKNOWN_ICON = "circle-question-mark"
HINTS: Mapping[str, Promise] = {
    "email": _("Answer by mail, in your words or those of a template."),
    "wait": _("So long, so many working days, or until the morning."),
    "branch": _("Two ways, by what is known of the answer and since."),
    "case": _("Somebody takes care of the contact in person."),
    "voucher": _("Give a voucher; later mails can show it."),
    "tag": _("Add tags to the response, or take some away."),
    "webhook": _("Tell another system that the contact got here."),
    "task": _("Ask the CRM for a task."),
    "ask": _("Send a survey again, within the contact budget."),
    "opt_in": _("Ask by mail whether you may write."),
    "stop": _("Nothing comes after it."),
}
"""What a kind of step is for, where one is chosen."""
_REASONS: dict[str, Promise] = {
    "suspected": _("A machine probably gave the answer."),
    "segment_changed": _("The answer was changed; another campaign fits now."),
    "campaign_inactive": _("The campaign is switched off."),
    "no_text": _("The step has no text."),
    "already_confirmed": _("The contact has confirmed already that we may write to them."),
    "asked_too_often": _("The address was asked three times within 30 days and did not answer."),
    "new_response": _("The contact answered again."),
    "unsubscribed": _("The contact left meanwhile."),
    "too_late": _("It would have come too late."),
    "case_open": _("It waits: somebody takes care of the contact."),
    "case_open_long": _("The contact's case stayed open too long."),
    "budget": _("It waits for a place in the contact budget."),
    "step_gone": _("The campaign does not have this step any more."),
    "pool_gone": _("The voucher pool is not there any more."),
    "pool_empty": _("There were no vouchers left."),
    "pool_budget": _("The budget for vouchers was used up."),
    "pool_inactive": _("The voucher pool is switched off."),
    "pool_expired": _("The voucher pool has ended."),
    "no_voucher": _("There was no voucher for this response."),
    "nobody_listens": _("No webhook wants to be told about it."),
    "asked_often_enough": _("The campaign has asked this contact often enough."),
    "moved": _("It ended when the campaign was changed."),
    "by_hand": _("Somebody stopped it."),
    "holdout": _("Left out, for comparison."),
    "response_gone": _("The response is not there any more."),
}


def reason_in_words(code: str) -> str | Promise:
    """Why a step was not taken, or an enrolment ended."""
    return _REASONS.get(code) or sentence(code)
