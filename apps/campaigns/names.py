"""What the things are called that sequences and conditions of campaigns speak of: read once for a page."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.cases.models import Case
from apps.common.texts import FALLBACK, Texts, localized
from apps.incentives.models import VoucherPool
from apps.messaging.models import MailTemplate
from apps.responses.models import Response
from apps.surveys.models import Question, Survey
from apps.touchpoints.models import Touchpoint
from apps.triggers.sentences import FIELDS as CONTACT_FIELDS

MAX_QUESTIONS = 500
LONGEST = 60
FIELDS: Mapping[str, str | Promise] = {
    **CONTACT_FIELDS,
    "response.score": _("score"),
    "response.comment": _("comment"),
    "response.has_comment": _("a comment was written"),
    "response.wants_call": _("a call was asked for"),
    "response.channel": _("channel of the answer"),
    "response.language": _("language of the answer"),
    "response.touchpoint": _("touchpoint"),
    "response.survey": _("survey"),
    "response.tags": _("tags"),
    "case.opened": _("a case was opened"),
    "case.open": _("a case is open"),
    "case.status": _("status of the case"),
    "again.answered": _("the contact answered again"),
    "again.score": _("score of the next answer"),
    "again.change": _("change of the score since then"),
    "voucher.issued": _("a voucher was given"),
    "voucher.redeemed": _("the voucher was redeemed"),
    "mail.bounced": _("a mail came back"),
}
NEGATED: Mapping[str, Promise] = {
    "response.has_comment": _("no comment was written"),
    "response.wants_call": _("no call was asked for"),
    "case.opened": _("no case was opened"),
    "case.open": _("no case is open"),
    "again.answered": _("the contact did not answer again"),
    "voucher.issued": _("no voucher was given"),
    "voucher.redeemed": _("the voucher was not redeemed"),
    "mail.bounced": _("no mail came back"),
}
"""What a field of yes and no says when it is no."""


@dataclass(frozen=True, slots=True)
class Names:
    """By primary key or key what a thing is called in the reader's language."""

    templates: Mapping[int, str] = field(default_factory=dict)
    pools: Mapping[int, str] = field(default_factory=dict)
    surveys: Mapping[int, str] = field(default_factory=dict)
    choices: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Field of conditions → value → what it is called."""
    questions: Mapping[str, Question] = field(default_factory=dict)

    @classmethod
    def load(cls) -> "Names":
        """All there is. Five queries."""
        surveys = list(Survey.objects.filter(archived_at=None).order_by("pk"))
        asked = Question.objects.filter(survey__archived_at=None).order_by("survey_id", "position")
        questions: dict[str, Question] = {}
        for question in asked[:MAX_QUESTIONS]:
            questions.setdefault(question.key, question)
        return cls(
            templates=dict(MailTemplate.objects.filter(purpose="follow_up").values_list("pk", "name")),
            pools=dict(VoucherPool.objects.order_by("name").values_list("pk", "name")),
            surveys={row.pk: called(row.name) or row.key for row in surveys},
            choices={
                "response.touchpoint": {row.key: str(row) for row in Touchpoint.objects.all()},
                "response.survey": {row.key: called(row.name) or row.key for row in surveys},
                "response.channel": {value: str(label) for value, label in Response.Channel.choices},
                "case.status": {value: str(label) for value, label in Case.Status.choices},
                **{f"answer.{key}": options(question) for key, question in questions.items()},
            },
            questions=questions,
        )

    def field(self, name: str) -> str:
        """What a field of conditions is called."""
        known = FIELDS.get(name)
        if known is not None:
            return str(known)
        root, _dot, rest = name.partition(".")
        if root == "answer" and rest in self.questions:
            return title(self.questions[rest])
        return str(_("%(name)s of the company") % {"name": rest}) if root == "company" else rest

    def value(self, name: str, value: object) -> object:
        """What a value of a field is called; itself where it has no other name."""
        return self.choices.get(name, {}).get(value, value) if isinstance(value, str) else value


def called(texts: Texts) -> str:
    """A text in the reader's language."""
    return localized(texts, get_language() or FALLBACK)


def title(question: Question) -> str:
    """What a question asks, in short."""
    text = " ".join(called(question.text).split()) or question.key
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def options(question: Question) -> dict[str, str]:
    """What can be chosen: key → words."""
    rows = question.options if isinstance(question.options, list) else []
    return {
        row["key"]: called(row.get("text", {})) or row["key"]
        for row in rows
        if isinstance(row, dict) and row.get("key")
    }
