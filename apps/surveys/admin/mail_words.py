"""What each variable of a mail template stands for, in the editor's language."""

from collections.abc import Mapping
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.messaging.templating import KNOWN

_WORDS: Mapping[str, Promise] = {
    "contact.first_name": _("first name"),
    "contact.last_name": _("last name"),
    "contact.name": _("whole name"),
    "contact.email": _("e-mail address"),
    "company.name": _("the contact's company"),
    "greeting": _("“Hello …,” in the contact's language"),
    "touchpoint": _("where the contact met you"),
    "survey": _("name of the survey"),
    "score": _("the score that was given"),
    "comment": _("the comment that was written"),
    "answer_url": _("address of the page where the contact adds to the answer"),
    "call_back_url": _("address of the page where the contact asks to be called"),
    "voucher": _("code of the voucher that a step before issued"),
    "voucher_value": _("what the voucher is worth"),
    "voucher_until": _("until when the voucher is good"),
    "wording": _("the text to agree to"),
    "email": _("the address that was given"),
    "link": _("address of the survey, or of the confirmation"),
    "score_row": _("the question with its answers, each one click"),
    "incentive": _("what the survey promises for answering, if anything"),
    "brand": _("your brand name"),
    "unsubscribe_url": _("where the contact can leave or choose"),
    "preferences_url": _("the same page"),
    "imprint_url": _("your imprint"),
    "privacy_url": _("your privacy notice"),
    "postal_address": _("your postal address"),
}
_FALLBACKS: Mapping[str, Promise] = {"contact.first_name": _("there")}
_OLD = frozenset({"name"})


class Variable(NamedTuple):
    """As it is written in a text, and what it stands for."""

    written: str
    label: Promise


def describe(purpose: str) -> list[Variable]:
    """The variables of a purpose's mails; old short names still work and are not offered any more."""
    found = [Variable(_written(name), _WORDS[name]) for name in KNOWN[purpose] if name not in _OLD]
    return [*found, Variable("{{ contact.properties.key }}", _("a property of the contact: put its name for key"))]


def _written(name: str) -> str:
    return f"{{{{ {name}|{_FALLBACKS[name]} }}}}" if name in _FALLBACKS else f"{{{{ {name} }}}}"
