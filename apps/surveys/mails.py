"""What our mails look like: the tenant's name and colour, the contact's language, a way out."""

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from django.conf import settings
from django.template.loader import get_template
from django.utils import translation
from django.utils.safestring import SafeString, mark_safe

from apps.common.patterns import escaped_around
from apps.common.texts import Texts, base_language, localized
from apps.common.variables import fill, one_line
from apps.contacts.models import Contact
from apps.messaging.frames import Words
from apps.messaging.links import unsubscribe_url
from apps.messaging.services import NewEmail
from apps.messaging.templating import INVITATION
from apps.surveys import mail_templates, versions
from apps.surveys.definition import Question, load
from apps.surveys.mail_parts import asking, base_context, current_theme, place
from apps.surveys.mail_templates import Compiled, Templates
from apps.surveys.models import Invitation, Survey, Theme

__all__ = [
    "Letter",
    "asked_of",
    "asking",
    "current_theme",
    "in_own_words",
    "language_of",
    "place",
    "render_letters",
    "worded",
]

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
    own: Words | None = None
    """A tenant's template, compiled: then ``template`` and ``context`` are not needed. See :func:`in_own_words`."""
    sms: str = ""
    """What a text message says instead, with places; without it subject and link."""


def language_of(contact: Contact | None, fallback: str = "") -> str:
    """The language to write to a contact in: theirs if we have it, else the fallback, else English."""
    for locale in (contact.locale if contact else "", fallback):
        if locale and base_language(locale) in _LANGUAGES:
            return base_language(locale)
    return settings.LANGUAGE_CODE


class Asked(NamedTuple):
    """What mails ask: a survey's first question, and what it promises for answering."""

    question: Question | None = None
    incentive: Texts = {}

    def facts(self, language: str) -> dict[str, str]:
        """What templates may say of the promise."""
        return {"incentive": localized(self.incentive, language)}


def asked_of(survey_ids: Collection[int]) -> dict[int, Asked]:
    """What each survey asks, as respondents see it. One query; two more for a survey never saved since."""
    rows = Survey.objects.filter(pk__in=survey_ids).select_related("current_version")
    found = {}
    for row in rows:
        version = row.current_version
        definition = versions.definition_of(version) if version else load(versions.current_document(row))
        found[row.pk] = Asked(definition.lead, definition.incentive)
    return found


def html_paragraphs(text: str) -> list[SafeString]:
    """A tenant's text as HTML, by paragraphs; its places stay, and take each mail's own values when it is sent."""
    parts = [part for part in escaped_around(text).split("\n\n") if part.strip()]
    return [mark_safe(part.replace("\n", "<br>")) for part in parts]  # noqa: S308


def render_letters(letters: Sequence[Letter], *, base_url: str, theme: Theme | None = None) -> list[NewEmail]:
    """Render text and HTML of each letter in its contact's language. No queries but the theme's, if it is not given."""
    theme = theme or current_theme()
    frames: dict[Hashable, Words] = {}
    mails = []
    for letter in letters:
        language = letter.language or language_of(letter.contact)
        key = (letter.template, language, letter.key if letter.key is not None else letter.reason)
        if letter.own is None and key not in frames:
            frames[key] = _frame(letter, language, theme)
        mails.append(_mail(letter, language, letter.own or frames[key], base_url))
    return mails


def _frame(letter: Letter, language: str, theme: Theme) -> Words:
    """Text and HTML with places for what is each mail's own."""
    context = {**base_context(theme, language), **letter.context}
    with translation.override(language):
        text = get_template(f"mail/{letter.template}.txt").render(context)
        html = get_template(f"mail/{letter.template}.html").render(context)
    return Words(text, mail_templates.wrapped(html))


def in_own_words(letter: Letter, own: Compiled | None, *, theme: Theme, facts: Mapping[str, str]) -> Letter:
    """The letter by the tenant's template, if there is one: its subject, and the values that it needs.

    ``facts`` is what the mail is about: touchpoint, survey, score, comment, as far as they are known.
    """
    if own is None:
        return letter
    values = {**letter.values, **mail_templates.values_of(own.names, letter.contact, theme, facts)}
    language = letter.language or language_of(letter.contact)
    name = one_line(letter.contact.name)
    in_subject = {"name": name, "greeting": greeting(name, language), **values}
    return replace(letter, own=own.words, sms=own.sms, values=values, subject=one_line(fill(own.subject, in_subject)))


def _mail(letter: Letter, language: str, frame: Words, base_url: str) -> NewEmail:
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
        phone=contact.phone,
        sms=letter.sms,
        language=language,
    )


def greeting(name: str, language: str) -> str:
    """How a mail begins."""
    with translation.override(language):
        return translation.gettext("Hello %(name)s,") % {"name": name} if name else translation.gettext("Hello,")


def invitation_mails(going: Sequence[tuple[Invitation, str]], *, base_url: str) -> list[NewEmail]:
    """The mails of invitations with their fresh link tokens, in the survey's, the tenant's or the built-in words."""
    asked = asked_of({row.survey_id for row, _token in going})
    theme = current_theme()
    rows = [(row, row.contact, token) for row, token in going if row.contact is not None]
    templates = Templates.of(INVITATION, theme, {row.survey.invitation_template_id for row, _contact, _token in rows})
    letters = []
    for row, contact, token in rows:
        language, what = language_of(contact), asked[row.survey_id]
        letter = _invitation(row, contact, f"{base_url}/s/{token}", what, language, theme)
        own = templates.compiled(
            language, chosen=row.survey.invitation_template_id, question=what.question, key=row.survey_id
        )
        facts = {**mail_templates.about(row.survey, row.touchpoint, language), **what.facts(language)}
        letters.append((letter, own, facts))
    return render_letters(worded(letters, theme), base_url=base_url, theme=theme)


def worded(letters: Sequence[tuple[Letter, Compiled | None, Mapping[str, str]]], theme: Theme) -> list[Letter]:
    """Letters in the tenant's words where there are some. At most one query, for the contacts' companies."""
    mail_templates.load_companies(
        [letter.contact for letter, _own, _facts in letters], {own for _letter, own, _facts in letters if own}
    )
    return [in_own_words(letter, own, theme=theme, facts=facts) for letter, own, facts in letters]


def _invitation(row: Invitation, contact: Contact, link: str, what: Asked, language: str, theme: Theme) -> Letter:
    """An invitation in the built-in words: the question and its eleven answers as links."""
    with translation.override(language):
        subject = translation.gettext("How was it? One question from %(brand)s") % {"brand": theme.brand_name}
    return Letter(
        reason=f"invitation:{row.id}",
        contact=contact,
        template="invitation",
        subject=subject,
        language=language,
        context={**asking(what.question, row.touchpoint, language), **what.facts(language)},
        values={"link": link},
        key=(row.survey_id, row.touchpoint_id),
        stream=f"survey:{row.survey_id}",
    )
