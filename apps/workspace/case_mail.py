"""What somebody who writes to a case's contact is told before: whether they may, who it is from, what stands below."""

from dataclasses import dataclass

from django.contrib.auth.models import AbstractUser
from django.template.loader import render_to_string
from django.utils import translation

from apps.cases import writing
from apps.cases.models import Case
from apps.messaging.identities import default_sender
from apps.surveys.mail_parts import base_context, current_theme
from apps.surveys.mails import language_of

_BELOW = "\n-- \n"


@dataclass(frozen=True, slots=True)
class Letterhead:
    """How a mail from the case looks around its text. ``refused`` says why none may be written, "" if one may."""

    refused: str
    person: str = ""
    brand: str = ""
    below: str = ""
    language: str = ""
    subject: str = ""


def letterhead(case: Case, user: AbstractUser) -> Letterhead:
    """At most seven queries."""
    code = writing.may_write(case)
    if code:
        return Letterhead(str(writing.SENTENCES[code]))
    theme = current_theme()
    language = language_of(case.contact, case.response.locale)
    with translation.override(language):
        whole = render_to_string("mail/case.txt", base_context(theme, language))
    return Letterhead(
        refused="",
        person=user.get_full_name(),
        brand=default_sender().name,
        below=whole.rpartition(_BELOW)[2].strip(),
        language=language,
        subject=writing.suggested_subject(case),
    )
