"""What a reminder looks like: the invitation once more, friendlier and shorter, with the same link."""

from collections.abc import Sequence
from dataclasses import replace

from django.utils import translation
from django.utils.translation import gettext as _

from apps.common.texts import localized
from apps.common.variables import fill, one_line
from apps.messaging.services import NewEmail
from apps.messaging.templating import REMINDER
from apps.surveys import mail_templates
from apps.surveys.mail_templates import Templates
from apps.surveys.mails import (
    Asked,
    Letter,
    asked_of,
    asking,
    current_theme,
    html_paragraphs,
    language_of,
    render_letters,
    worded,
)
from apps.surveys.models import Reminder, SurveyReminder

VARIABLES = {"name", "touchpoint", "brand"}
"""What the tenant's words may hold."""


def reminder_mails(going: Sequence[tuple[Reminder, SurveyReminder, str]], *, base_url: str) -> list[NewEmail]:
    """The mails of reminders with the token of their invitation's link.

    Each in the words of its survey's reminder; else in those of the tenant's template, else in ours.
    """
    asked, theme = asked_of({row.invitation.survey_id for row, _setting, _token in going}), current_theme()
    templates = Templates.of(REMINDER, theme)
    letters, subjects = [], {}
    for row, setting, token in going:
        invitation, contact = row.invitation, row.invitation.contact
        if contact is None:
            continue
        language, what = language_of(contact), asked[invitation.survey_id]
        letter = _letter(row, setting, f"{base_url}/s/{token}", what, theme.brand_name)
        if localized(setting.subject, language):
            subjects[row.reason] = letter.subject
        has_words = bool(localized(setting.text, language).strip())
        own = None if has_words else templates.compiled(language, question=what.question, key=invitation.survey_id)
        facts = {**mail_templates.about(invitation.survey, invitation.touchpoint, language), **what.facts(language)}
        letters.append((letter, own, facts))
    found = [replace(letter, subject=subjects.get(letter.reason, letter.subject)) for letter in worded(letters, theme)]
    return render_letters(found, base_url=base_url, theme=theme)


def _letter(row: Reminder, setting: SurveyReminder, link: str, what: Asked, brand: str) -> Letter:
    contact, invitation = row.invitation.contact, row.invitation
    if contact is None:
        raise ValueError("nobody to write to")
    language = language_of(contact)
    where = localized(invitation.touchpoint.name, language) if invitation.touchpoint else ""
    values = {"touchpoint": where, "brand": brand}
    # Variables stay in the words: they are filled in for each mail, like the name in the greeting.
    words = localized(setting.text, language).replace("\r\n", "\n")
    return Letter(
        reason=row.reason,
        contact=contact,
        template="reminder",
        subject=_subject(setting, language, {**values, "name": one_line(contact.name)}),
        language=language,
        context={
            **asking(what.question, invitation.touchpoint, language),
            **what.facts(language),
            "paragraphs": html_paragraphs(words),
            "text_paragraphs": [part for part in words.split("\n\n") if part.strip()],
        },
        values={**values, "link": link},
        key=(invitation.survey_id, invitation.touchpoint_id, row.position),
        stream=f"survey:{invitation.survey_id}",
    )


def _subject(setting: SurveyReminder, language: str, values: dict[str, str]) -> str:
    """The survey's own words, else ours."""
    own = localized(setting.subject, language)
    if own:
        return one_line(fill(own, values))
    with translation.override(language):
        if values["touchpoint"]:
            return _("A quick reminder: how was “%(touchpoint)s”?") % values
        return _("A quick reminder: one question from %(brand)s") % values
