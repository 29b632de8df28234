"""A mail template as it would look to somebody: for the editor, before it is saved. Nothing is stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.common.patterns import Pattern
from apps.common.variables import fill, one_line
from apps.contacts.models import Company, Contact
from apps.messaging import mail_html, templating
from apps.messaging.frames import Words
from apps.messaging.mail_html import Problem
from apps.messaging.models import MailTemplate
from apps.surveys import mail_templates
from apps.surveys.definition import NPS, Question
from apps.surveys.mail_parts import current_theme
from apps.surveys.mails import Asked, asked_of, greeting
from apps.surveys.models import Survey
from apps.touchpoints.models import Touchpoint

LONGEST_SUBJECT = 60
LARGEST = 30 * 1024
PROBLEMS = {
    "too_long": gettext_lazy("The HTML is too long."),
    "unfinished": gettext_lazy("Line %(line)d: a tag is not finished; perhaps a quotation mark is missing."),
    "too_deep": gettext_lazy("Line %(line)d: too many tags, or too many within one another."),
    "not_nested": gettext_lazy("Line %(line)d: </%(tag)s> closes what is not open here."),
    "not_closed": gettext_lazy("<%(tag)s> is not closed."),
}
_NOTES = {
    "remote_image": gettext_lazy(
        "A picture is loaded from elsewhere: that may count as tracking, and many mail programs do not show it."
    ),
    "image_without_alt": gettext_lazy("A picture has no alternative text (alt)."),
    "removed_address": gettext_lazy(
        "An address was taken out: links begin with https:, mailto: or a variable such as link, pictures with https: "
        "and without variables."
    ),
}


class Shown(NamedTuple):
    """A mail to somebody, and what to tell whoever writes it."""

    subject: str
    preheader: str
    text: str
    html: str
    warnings: list[str]
    words: Words
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class Sample:
    """Whom and what a preview is about."""

    contact: Contact
    facts: Mapping[str, str]
    question: Question | None


def problem_text(problem: Problem) -> str:
    """What is wrong with the HTML, as a sentence."""
    return str(PROBLEMS[problem.code]) % {"line": problem.line, "tag": problem.tag}


def sample_contact() -> Contact:
    """Somebody, where there is nobody yet."""
    company = Company(name=_("Example & Sons Ltd"))
    return Contact(name="Ada Lovelace", email="ada@example.com", company=company, properties={})


def sample(contact: Contact | None, language: str) -> Sample:
    """What a mail to this contact could be about: the first survey and touchpoint there are."""
    survey = Survey.objects.filter(archived_at=None).order_by("-is_active", "pk").first()
    asked = asked_of([survey.pk])[survey.pk] if survey else Asked()
    touchpoint = Touchpoint.objects.order_by("pk").first()
    about = mail_templates.about(survey, touchpoint, language)
    facts = {
        "survey": about["survey"] or _("Delivery"),
        "touchpoint": about["touchpoint"] or _("Order received"),
        "score": "9",
        "comment": _("It arrived a day early."),
        "incentive": asked.facts(language)["incentive"] or _("5 € voucher as a thank-you"),
        "voucher": "THANKS-7K2M-9XQ4",
        "voucher_value": _("5 € off"),
        "voucher_until": _("31 December"),
        "wording": _("Yes, you may write to me by e-mail."),
        "email": (contact.email if contact else None) or "ada@example.com",
    }
    usual = Question(key="nps", kind=NPS, text={language: _("How likely are you to recommend us?")})
    return Sample(contact or sample_contact(), facts, asked.question or usual)


def show(template: MailTemplate, *, contact: Contact | None, language: str, base_url: str) -> Shown | None:
    """The template in a language as a mail to this contact, or to an invented one; None without words.

    Its links lead nowhere: nobody can be unsubscribed, or answered for, from a preview.
    """
    theme = current_theme()
    with translation.override(language):
        about = sample(contact, language)
    compiled = mail_templates.compile_template(template, language=language, theme=theme, question=about.question)
    if compiled is None:
        return None
    name = one_line(about.contact.name)
    values = {
        "name": name,
        "greeting": greeting(name, language),
        "unsubscribe_url": f"{base_url}/mail/u/preview",
        **dict.fromkeys(("link", "answer_url", "call_back_url"), f"{base_url}/s/preview"),
        **mail_templates.values_of(compiled.names, about.contact, theme, about.facts),
    }
    subject = one_line(fill(compiled.subject, values))
    values["subject"] = subject
    html = Pattern(compiled.words.html, is_html=True).fill(values).decode()
    return Shown(
        subject=subject,
        preheader=one_line(fill(mail_templates.preheader_of(template, language), values)),
        text=Pattern(compiled.words.text).fill(values).decode().replace("\r\n", "\n"),
        html=html,
        warnings=warnings(template, language, subject, html, compiled),
        words=compiled.words,
        values=values,
    )


def warnings(
    template: MailTemplate, language: str, subject: str, html: str, compiled: mail_templates.Compiled
) -> list[str]:
    """What may be saved and is still better mended."""
    found = []
    source = mail_templates.sources(template, language)
    written = source.get("html", "")
    problem = mail_html.problem(written)
    if problem:
        found.append(problem_text(problem))
    wants = {templating.INVITATION, templating.REMINDER, templating.OPT_IN}
    for part, label in (("html", _("HTML")), ("text", _("text"))):
        names = templating.used(source.get(part, ""))
        if template.purpose in wants and source.get(part) and not names & {"link", templating.SCORE_ROW}:
            found.append(_("The %(part)s has no link to answer by: use link or score_row.") % {"part": label})
    if len(subject) > LONGEST_SUBJECT:
        text = _("The subject has %(count)d characters; telephones show some %(limit)d.")
        found.append(text % {"count": len(subject), "limit": LONGEST_SUBJECT})
    if (size := len(html.encode())) > LARGEST:
        text = _("The mail has %(size)d KB of HTML; some mail programs cut what is longer than %(limit)d KB or so.")
        found.append(text % {"size": size // 1024, "limit": LARGEST // 1024})
    return found + [str(_NOTES[note]) for note in sorted(compiled.notes)]
