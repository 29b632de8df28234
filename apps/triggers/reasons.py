"""Why something was decided, and what would have to change: reason codes as sentences in the reader's language."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SENTENCES: dict[str, Promise] = {
    "ok": _("Nothing speaks against asking."),
    "budget": _("The contact was approached too recently; it is their turn later."),
    "preference": _("The contact does not wish to get this kind of mail."),
    "preference_gap": _("The contact wishes to hear from us less often; it is their turn later."),
    "preference_gap_too_late": _(
        "The contact wishes to hear from us less often, and later the question would be pointless."
    ),
    "daily_cap": _("The rule had asked enough people that day; it is their turn later."),
    "outranked": _("Something more important is asked first; this had to make way."),
    "budget_too_late": _("The contact was approached too recently, and later the question would be pointless."),
    "daily_cap_too_late": _("The rule asks enough people every day until the question would be pointless."),
    "window_too_late": _("No send window opens before the question would be pointless."),
    "no_rule": _("No trigger rule belongs to this touchpoint."),
    "rule_broken": _("The rule cannot be understood any more: it names a segment that was deleted."),
    "rule_inactive": _("The trigger rule, its survey or its touchpoint is switched off."),
    "outside_period": _("The event lies outside the time in which the rule is active."),
    "condition": _("The rule's condition does not hold."),
    "counter_event": _("Another event took it back: a refund, a cancellation, a reopened ticket."),
    "not_sampled": _("The rule asks only a share of the contacts, and this one is not in it."),
    "survey_inactive": _("The survey is switched off."),
    "no_address": _("We have no e-mail address of this contact."),
    "suppressed": _("This address must not be mailed: it bounced, complained or was blocked."),
    "no_legal_basis": _("There is no legal basis for writing to this contact."),
    "too_old": _("The event was too long ago when it reached us."),
    "contact_gone": _("The contact was deleted."),
    "touchpoint_inactive": _("The touchpoint is switched off."),
    "answered": _("The contact has answered meanwhile."),
    "invitation_revoked": _("The invitation it belongs to was taken back."),
    "taken_back": _("Another system took it back."),
    "mail_failed": _("The mail before it did not arrive, or was taken back."),
    "mail_waiting": _("The mail before it left late or not yet; the whole delay is kept all the same."),
    "reminder_removed": _("The survey does not send this reminder any more."),
    "survey_closed": _("The survey is closed."),
    "link_expired": _("The link in the invitation has expired."),
    "link_lost": _("The link of the invitation cannot be made again: the key it was made with was thrown away."),
    "error": _("An error came in the way; it is tried again within the hour."),
    "unreadable_event": _("The event could not be read."),
    "not_a_member": _("An integration took the contact off its list, or took the question back."),
    "no_consent": _("The visitor has not agreed to being recognised, so nothing can be counted."),
}
CHANGES: dict[str, Promise] = {
    "budget": _("Fewer days between two approaches, or an exception for the touchpoint, would let it go earlier."),
    "preference": _("Nothing: the contact chose it on the page that every mail leads to, and only they can change it."),
    "preference_gap": _("Nothing: the contact chose how often, on the page that every mail leads to."),
    "preference_gap_too_late": _("A longer time until it is pointless; how often is for the contact to choose."),
    "daily_cap": _("A higher daily limit of the rule would let it go earlier."),
    "outranked": _("A priority at least as high as the other rule's would keep its place."),
    "budget_too_late": _("A longer time until it is pointless, or fewer days between two approaches."),
    "daily_cap_too_late": _("A higher daily limit, or a longer time until it is pointless."),
    "window_too_late": _("Wider send windows, or a longer time until it is pointless."),
    "no_rule": _("Make a trigger rule for this touchpoint."),
    "rule_broken": _("Open the rule and mend its condition."),
    "rule_inactive": _("Switch the rule, its survey and its touchpoint on."),
    "outside_period": _("Change the rule's “active from” and “active until”."),
    "condition": _("The event or the contact would need other properties, or the rule another condition."),
    "counter_event": _("Nothing: what it was about did not last. The rule names the events that take it back."),
    "not_sampled": _("A larger share in the rule."),
    "survey_inactive": _("Switch the survey on."),
    "no_address": _("Send the contact's e-mail address with an event, or enter it at the contact."),
    "suppressed": _("Only the contact can change that, by a new consent; or lift the block if it was a mistake."),
    "no_legal_basis": _("A consent, or a touchpoint that proves a purchase with notice given."),
    "too_old": _("Send events sooner, or give the rule a longer time until it is pointless."),
    "touchpoint_inactive": _("Switch the touchpoint on."),
    "unreadable_event": _("Send an external id or an e-mail address with the contact."),
    "no_consent": _("The visitor's consent."),
}
CHECKS: dict[str, Promise] = {
    "readable": _("The rule can be understood"),
    "active": _("The rule is switched on"),
    "period": _("Within the rule's time"),
    "condition": _("The condition holds"),
    "counter_event": _("Nothing took it back"),
    "sample": _("In the share that is asked"),
    "address": _("There is an address"),
    "suppression": _("The address is not blocked"),
    "legal_basis": _("There is a legal basis"),
    "preference": _("The contact wishes to get it"),
    "too_old": _("Not too late"),
    "time": _("Budget, send windows and daily limit leave a time"),
}


def sentence(code: str) -> str | Promise:
    """The sentence for a reason code; an unknown code stands for itself."""
    return SENTENCES.get(code, code)


def change(code: str) -> str | Promise:
    """What would have to change for another decision; "" if nothing is to be said."""
    return CHANGES.get(code, "")
