"""Why something was decided: each reason code as a sentence in the reader's language."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SENTENCES: dict[str, Promise] = {
    "ok": _("Nothing speaks against asking."),
    "budget": _("The contact was approached too recently; it is their turn later."),
    "budget_too_late": _("The contact was approached too recently, and later the question would be pointless."),
    "no_rule": _("No trigger rule belongs to this touchpoint."),
    "rule_inactive": _("The trigger rule, its survey or its touchpoint is switched off."),
    "survey_inactive": _("The survey is switched off."),
    "no_address": _("We have no e-mail address of this contact."),
    "suppressed": _("This address must not be mailed: it bounced, complained or was blocked."),
    "no_legal_basis": _("There is no legal basis for writing to this contact."),
    "too_old": _("The event was too long ago when it reached us."),
    "contact_gone": _("The contact was deleted."),
    "touchpoint_inactive": _("The touchpoint is switched off."),
    "error": _("An error came in the way; it is tried again within the hour."),
    "unreadable_event": _("The event could not be read."),
}


def sentence(code: str) -> str | Promise:
    """The sentence for a reason code; an unknown code stands for itself."""
    return SENTENCES.get(code, code)
