"""Tenants' own mail templates, with the tenant's look: compiled once per batch, filled with each contact's values."""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, NamedTuple

from django.db.models import Q, prefetch_related_objects
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

from apps.common.patterns import escaped_around
from apps.common.texts import localized
from apps.common.variables import one_line
from apps.contacts.models import Contact
from apps.messaging import mail_html, templating
from apps.messaging.frames import Words
from apps.messaging.mail_html import Clean, Cleaner
from apps.messaging.models import MailTemplate
from apps.messaging.templating import Marks
from apps.surveys.definition import Question
from apps.surveys.mail_parts import base_context, place, score_row
from apps.surveys.models import Survey, Theme
from apps.touchpoints.models import Touchpoint

MAX_LINE = 700
MAX_COMMENT = 5_000


class Compiled(NamedTuple):
    """A template in one language: what all its mails share, and the values that each of them needs."""

    subject: str
    words: Words
    names: frozenset[str]
    notes: frozenset[str] = frozenset()
    sms: str = ""
    """What goes to contacts who get text messages; "" for subject and link."""


@dataclass
class Templates:
    """The tenant's templates for one purpose, in one batch: read once, compiled once per language and question."""

    purpose: str
    theme: Theme
    chosen: Mapping[int, MailTemplate] = field(default_factory=dict)
    default: MailTemplate | None = None
    _ready: dict[Hashable, Compiled | None] = field(default_factory=dict)

    @classmethod
    def of(cls, purpose: str, theme: Theme, chosen: Collection[int | None] = ()) -> "Templates":
        """The purpose's default template and those chosen. One query."""
        ids = {pk for pk in chosen if pk is not None}
        rows = MailTemplate.objects.filter(Q(purpose=purpose, is_default=True) | Q(pk__in=ids))
        found = {row.pk: row for row in rows}
        default = next((row for row in found.values() if row.is_default and row.purpose == purpose), None)
        return cls(purpose, theme, found, default)

    def compiled(
        self, language: str, *, chosen: int | None = None, question: Question | None = None, key: Hashable = None
    ) -> Compiled | None:
        """The chosen template, else the default one, ready for letters; None: the built-in words.

        ``key`` tells questions apart.
        """
        template = self.chosen.get(chosen) if chosen is not None else None
        template = template or self.default
        if template is None:
            return None
        known = (template.pk, template.updated_at, language, key)
        if known not in self._ready:
            self._ready[known] = compile_template(template, language=language, theme=self.theme, question=question)
        return self._ready[known]


def sources(template: MailTemplate, language: str) -> dict[str, str]:
    """What a template says in a language, as it was written, cut to what can be a mail."""
    longest = {"subject": 1000, "preheader": 1000}
    found = {}
    for name in ("subject", "preheader", "html", "text"):
        written = localized(getattr(template, name), language)[: longest.get(name, templating.MAX_SOURCE)]
        found[name] = written.replace("\r\n", "\n").strip()
    return found


def preheader_of(template: MailTemplate, language: str) -> str:
    """What mail programs show beside the subject, with places for variables; the first words if there is nothing."""
    source = sources(template, language)
    words = source["preheader"] or next(iter(templating.paragraphs(source["text"])), "")[:200]
    return templating.plain(words, template.purpose, {templating.SCORE_ROW: ""})


def compile_template(
    template: MailTemplate, *, language: str, theme: Theme, question: Question | None = None
) -> Compiled | None:
    """Subject, text and HTML in a language, with places for variables; None if there are no words at all.

    Nothing is executed, and nothing leaves without the way out, the sender's imprint and the word of objection.
    """
    purpose = template.purpose
    source = sources(template, language)
    if not source["text"] or not source["subject"]:
        return None
    base = {**base_context(theme, language), "purpose": purpose, "is_consent": purpose == templating.OPT_IN}
    lines, row = score_row(question, base, language)
    text = templating.plain(source["text"], purpose, {templating.SCORE_ROW: templating.plain_block(lines)})
    preheader = templating.plain(source["preheader"], purpose, {templating.SCORE_ROW: ""})
    subject = templating.plain(source["subject"], purpose, {templating.SCORE_ROW: ""})
    with translation.override(language):
        inner = _inner(template, source["html"], source["text"], base, row)
        context = {
            **base,
            "body": mark_safe(inner.html),  # noqa: S308 - cleaned
            "media": mark_safe(inner.media),  # noqa: S308 - cleaned
            "words": mark_safe(escaped_around(preheader)),  # noqa: S308
            "needs_links": not (inner.has_way_out and inner.has_imprint),
        }
        html = render_to_string(f"mail/{'whole' if _is_whole(template, inner) else 'own'}.html", context)
        end = render_to_string("mail/footer.txt", base)
    words = Words(f"{text}\n\n{end}", wrapped(html))
    sms = templating.plain(localized(template.sms, language).strip(), purpose, {templating.SCORE_ROW: ""})
    return Compiled(subject, words, templating.names_in([subject, sms, *words]), inner.notes, sms)


def _is_whole(template: MailTemplate, inner: Clean) -> bool:
    return template.layout == MailTemplate.Layout.WHOLE and inner.is_own


def _inner(template: MailTemplate, html: str, text: str, base: Mapping[str, Any], row: str) -> Clean:
    """The template's HTML, cleaned; made of its text where there is none, or none that can be used."""
    marks = Marks(template.purpose)
    if html.strip() and mail_html.problem(html) is None:
        clean = Cleaner(marks).clean(marks.put(html))
        if clean.html.strip():
            return clean._replace(html=marks.take(clean.html, {templating.SCORE_ROW: row}), is_own=True)
    marks = Marks(template.purpose)
    parts = [_paragraph(part, marks, base, row) for part in templating.paragraphs(text)]
    return Clean("\n".join(parts))


def _paragraph(part: str, marks: Marks, base: Mapping[str, Any], row: str) -> str:
    """A paragraph as HTML. A link that stands alone becomes a button, the text to agree to a quotation."""
    css, alone = base["css"], templating.only_place(part)
    if alone == "link" and templating.is_known(alone, base["purpose"]):
        label = _("Confirm") if base["is_consent"] else _("Open the survey")
        return render_to_string("mail/button.html", {**base, "link": place("link"), "label": label})
    marked = escape(marks.put(part)).replace("\n", "<br>\n")
    style = css["quote" if alone == "wording" else "p"]
    blocks = {name: f'<a class="ink" href="{place(name)}" style="{css["ink"]}">{place(name)}</a>' for name in
              templating.URLS}  # fmt: skip
    return marks.take(f'<p style="{style}">{marked}</p>', {**blocks, templating.SCORE_ROW: row})


def wrapped(html: str) -> str:
    """Lines that mail servers take: broken within tags, where it changes nothing."""
    if "<pre" in html:
        return html
    lines = (line.strip() for line in html.split("\n"))
    return "\n".join(_guarded(_broken(line) if len(line) > MAX_LINE else line) for line in lines if line)


def _guarded(line: str) -> str:
    """A dot at a line's beginning has to be doubled on its way (RFC 5321): one more look at every mail."""
    return f" {line}" if line.startswith(".") else line


def _broken(line: str) -> str:
    return templating.TAG_SPACE.sub(lambda found: f"{found[1]}\n", line)


def about(survey: Survey | None, touchpoint: Touchpoint | None, language: str) -> dict[str, str]:
    """What a mail is about, in its language."""
    return {
        "survey": localized(survey.name, language) if survey else "",
        "touchpoint": localized(touchpoint.name, language) if touchpoint else "",
    }


# --- values ---------------------------------------------------------------------------------------


def load_companies(contacts: Iterable[Contact], compiled: Collection[Compiled]) -> None:
    """Read the contacts' companies in one query, if the templates name them and they are not there yet."""
    if any("company.name" in one.names for one in compiled):
        prefetch_related_objects([contact for contact in contacts if contact.company_id], "company")


def values_of(names: Collection[str], contact: Contact, theme: Theme, facts: Mapping[str, str]) -> dict[str, str]:
    """The values of these variables for a contact. ``facts`` are those of the mail, such as touchpoint and score."""
    first, last = templating.person(contact.name, contact.properties)
    known = {
        "contact.name": one_line(contact.name),
        "contact.first_name": one_line(first),
        "contact.last_name": one_line(last),
        "contact.email": contact.email or "",
        "brand": theme.brand_name,
        "imprint_url": theme.imprint_url,
        "privacy_url": theme.privacy_url,
        "postal_address": theme.postal_address,
        **facts,
    }
    found = {name: known[name] for name in names if name in known}
    for name in names:
        if name.startswith(templating.PROPERTY):
            found[name] = templating.property_text(contact.properties.get(name.removeprefix(templating.PROPERTY)))
        elif name == "company.name":
            found[name] = contact.company.name if contact.company else ""
    return found


def in_use(purposes: Sequence[str]) -> set[str]:
    """For which of these purposes there is a default template. One query."""
    rows = MailTemplate.objects.filter(is_default=True, purpose__in=purposes)
    return set(rows.values_list("purpose", flat=True))
