"""What our mails look like: the tenant's name and colour, the contact's language, a way out."""

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.template.loader import get_template
from django.utils import translation
from django.utils.safestring import SafeString, mark_safe

from apps.common.colours import text_on
from apps.common.texts import base_language, localized
from apps.common.variables import one_line
from apps.contacts.models import Contact
from apps.messaging.links import unsubscribe_url
from apps.messaging.services import NewEmail
from apps.surveys import versions
from apps.surveys.definition import Question, load
from apps.surveys.models import Invitation, Survey, Theme
from apps.surveys.sheets import ends_of
from apps.touchpoints.models import Touchpoint

_LANGUAGES = {code for code, _name in settings.LANGUAGES}


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail's own part: what it is for, to whom, and its words.

    Letters with the same ``key`` (and template and language) share their ``context``: it is rendered once for all of
    them, with places where each one's ``values`` go (:func:`place`). Without a key a letter is rendered by itself.
    """

    reason: str
    contact: Contact
    template: str
    subject: str
    context: Mapping[str, Any]
    language: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    key: Hashable = None
    stream: str = ""
    needs_legal_basis: bool = True


def place(name: str) -> SafeString:
    """Where a value of this name goes; it is escaped when it is filled in."""
    return mark_safe(f"{{{{ {name} }}}}")  # noqa: S308


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
    frames: dict[Hashable, tuple[str, str]] = {}
    mails = []
    for letter in letters:
        language = letter.language or language_of(letter.contact)
        key = (letter.template, language, letter.key if letter.key is not None else letter.reason)
        if key not in frames:
            frames[key] = _frame(letter, language, theme)
        mails.append(_mail(letter, language, frames[key], base_url))
    return mails


def _frame(letter: Letter, language: str, theme: Theme) -> tuple[str, str]:
    """Text and HTML with places for what is each mail's own."""
    own = ("name", "greeting", "subject", "unsubscribe_url")
    context = {
        "theme": theme,
        "on_accent": theme.on_accent or text_on(theme.accent),
        "language": language,
        **{name: place(name) for name in own},
        **letter.context,
    }
    with translation.override(language):
        text = get_template(f"mail/{letter.template}.txt").render(context)
        html = get_template(f"mail/{letter.template}.html").render(context)
    return text, html


def _mail(letter: Letter, language: str, frame: tuple[str, str], base_url: str) -> NewEmail:
    contact, (text, html) = letter.contact, frame
    name = one_line(contact.name)
    return NewEmail(
        reason=letter.reason,
        contact_id=contact.id,
        to_email=contact.email or "",
        to_name=contact.name,
        subject=letter.subject,
        text=text,
        html=html,
        values={
            "name": name,
            "greeting": greeting(name, language),
            "unsubscribe_url": unsubscribe_url(contact.id, base_url),
            **letter.values,
        },
        stream=letter.stream,
        needs_legal_basis=letter.needs_legal_basis,
    )


def greeting(name: str, language: str) -> str:
    """How a mail begins."""
    with translation.override(language):
        return translation.gettext("Hello %(name)s,") % {"name": name} if name else translation.gettext("Hello,")


def invitation_mails(going: Sequence[tuple[Invitation, str]], *, base_url: str) -> list[NewEmail]:
    """The mails of invitations with their fresh link tokens: the question and its eleven answers as links."""
    questions = leads({row.survey_id for row, _token in going})
    brand = current_theme().brand_name
    letters = []
    for row, token in going:
        if row.contact is None:
            continue
        language = language_of(row.contact)
        with translation.override(language):
            subject = translation.gettext("How was it? One question from %(brand)s") % {"brand": brand}
        letters.append(
            Letter(
                reason=f"invitation:{row.id}",
                contact=row.contact,
                template="invitation",
                subject=subject,
                language=language,
                context=asking(questions.get(row.survey_id), row.touchpoint, language),
                values={"link": f"{base_url}/s/{token}"},
                key=(row.survey_id, row.touchpoint_id),
                stream=f"survey:{row.survey_id}",
            )
        )
    return render_letters(letters, base_url=base_url)


def asking(question: Question | None, touchpoint: Touchpoint | None, language: str) -> dict[str, Any]:
    """What the templates of mails that ask a survey need; the value "link" leads to the survey."""
    low, high = question.bounds if question else (0, -1)
    link = place("link")
    return {
        "question": localized(question.text, language) if question else "",
        "touchpoint": localized(touchpoint.name, language) if touchpoint else "",
        "link": link,
        "ends": ends_of(question, language) if question else ("", ""),
        "scores": [(score, mark_safe(f"{link}?score={score}")) for score in range(low, high + 1)],  # noqa: S308
    }
