"""What our mails look like: the tenant's name and colour, the contact's language, a way out."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.template.loader import get_template
from django.utils import translation

from apps.common.colours import text_on
from apps.common.texts import base_language, localized
from apps.common.variables import one_line
from apps.contacts.models import Contact
from apps.messaging.links import unsubscribe_headers, unsubscribe_url
from apps.messaging.services import NewEmail
from apps.surveys import versions
from apps.surveys.definition import Question, load
from apps.surveys.models import Invitation, Survey, Theme
from apps.surveys.sheets import ends_of

_LANGUAGES = {code for code, _name in settings.LANGUAGES}


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail's own part: what it is for, to whom, and its words."""

    reason: str
    contact: Contact
    template: str
    subject: str
    context: Mapping[str, Any]
    language: str = ""


def current_theme() -> Theme:
    """The tenant's theme; a plain one if it has not been set up."""
    return Theme.objects.first() or Theme(brand_name="Resonanz")


def language_of(contact: Contact | None, fallback: str = "") -> str:
    """The language to write to a contact in: theirs if we have it, else the fallback, else English."""
    for locale in (contact.locale if contact else "", fallback):
        if locale and base_language(locale) in _LANGUAGES:
            return base_language(locale)
    return settings.LANGUAGE_CODE


def leads(survey_ids: Collection[int]) -> dict[int, Question]:
    """Each survey's first question, as respondents see it. One query; two more for a survey never saved since."""
    rows = Survey.objects.filter(pk__in=survey_ids).select_related("current_version")
    found = {}
    for row in rows:
        version = row.current_version
        definition = versions.definition_of(version) if version else load(versions.current_document(row))
        if definition.lead:
            found[row.pk] = definition.lead
    return found


def render_letters(letters: Sequence[Letter], *, base_url: str) -> list[NewEmail]:
    """Render text and HTML of each letter in its contact's language. No queries but the theme's."""
    theme = current_theme()
    return [_render(letter, theme, base_url) for letter in letters]


def _render(letter: Letter, theme: Theme, base_url: str) -> NewEmail:
    contact = letter.contact
    leave = unsubscribe_url(contact.id, base_url)
    language = letter.language or language_of(contact)
    context = {
        "theme": theme,
        "on_accent": theme.on_accent or text_on(theme.accent),
        "contact": contact,
        "name": one_line(contact.name),
        "subject": letter.subject,
        "unsubscribe_url": leave,
        "language": language,
        **letter.context,
    }
    with translation.override(language):
        text = get_template(f"mail/{letter.template}.txt").render(context)
        html = get_template(f"mail/{letter.template}.html").render(context)
    return NewEmail(
        reason=letter.reason,
        contact_id=contact.id,
        to_email=contact.email or "",
        to_name=contact.name,
        subject=letter.subject,
        text=text,
        html=html,
        headers=unsubscribe_headers(leave),
    )


def invitation_mails(going: Sequence[tuple[Invitation, str]], *, base_url: str) -> list[NewEmail]:
    """The mails of invitations with their fresh link tokens: the question and its eleven answers as links."""
    questions = leads({row.survey_id for row, _token in going})
    brand = current_theme().brand_name
    letters = []
    for row, token in going:
        if row.contact is None:
            continue
        language = language_of(row.contact)
        question = questions.get(row.survey_id)
        low, high = question.bounds if question else (0, -1)
        link = f"{base_url}/s/{token}"
        with translation.override(language):
            subject = translation.gettext("How was it? One question from %(brand)s") % {"brand": brand}
        letters.append(
            Letter(
                reason=f"invitation:{row.id}",
                contact=row.contact,
                template="invitation",
                subject=subject,
                context={
                    "question": localized(question.text, language) if question else "",
                    "touchpoint": localized(row.touchpoint.name, language) if row.touchpoint else "",
                    "link": link,
                    "ends": ends_of(question, language) if question else ("", ""),
                    "scores": [(score, f"{link}?score={score}") for score in range(low, high + 1)],
                },
            )
        )
    return render_letters(letters, base_url=base_url)
