"""What can be wrong with a file or a row: codes as they are stored, and the sentences people read."""

from typing import Any

from django.utils.translation import gettext_lazy as _


class TransferError(Exception):
    """What was asked cannot be done; its text (a sentence in the reader's language) says why and what to do."""


class StateError(TransferError):
    """It would be right in another state."""


SENTENCES: dict[str, Any] = {
    "unreadable": _("This row cannot be read: a field is too long, or a quotation mark is missing."),
    "nul": _("This row contains NUL characters. Save the file anew as CSV (UTF-8)."),
    "too_many_cells": _("This row has more cells than the file has columns. Is a quotation mark missing?"),
    "no_identity": _("An external id or an e-mail address is needed."),
    "no_company_id": _("The external id of the company is needed."),
    "no_address": _("There is no address in this row."),
    "email": _("This is not an e-mail address."),
    "address": _("This is neither an e-mail address nor a telephone number."),
    "phone": _("This is not a telephone number. Write it with its country, such as +49 170 1234567."),
    "too_long": _("This is too long."),
    "locale": _("This is not a language such as de or en-GB."),
    "time_zone": _("This is not a time zone such as Europe/Berlin."),
    "country": _("This is not a country of two letters, such as DE."),
    "region": _("The country of this row has no such region, such as BY in DE."),
    "time": _("This is not a date and time such as 2026-01-31 14:30."),
    "future": _("This time lies in the future."),
    "no_time": _("The time of the answer is needed."),
    "score": _("The score must be a whole number from 0 to 10."),
    "no_score": _("The score is needed."),
    "yes_no": _("Write “yes” or “no”, or leave it empty."),
    "basis": _("Write “consent” or “existing customer”."),
    "no_source": _("A legal basis needs its source: where the consent or the address comes from."),
    "no_notice": _("Existing customers need the version of the notice that they got: without it nothing is proven."),
    "no_survey_question": _("The survey has no such question, or is anonymous."),
    "reason": _("This reason is not known; leave it empty, or write one of those of the list."),
    "properties": _("The properties of this row are too many or too long."),
    "refused": _("This row could not be stored."),
}

KEPT: dict[str, Any] = {
    "changed": _("changed by somebody since"),
    "in_use": _("something has happened with it since: an event, an invitation, a response or an objection"),
    "own_word": _("the person said so themselves: only they can take it back"),
    "gone": _("not there any more"),
}
"""Why something stays when an import is undone."""


def sentence(code: str) -> Any:
    """The sentence of a stored code, in the reader's language when it is shown."""
    return SENTENCES.get(code, SENTENCES["refused"])
