"""What a case's page tells: everything that was said and done about it, in the order of time."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from apps.cases.models import Case, CaseChange, CaseMail, CaseNote
from apps.responses.models import Response
from apps.responses.selectors import is_anonymous
from apps.workspace.case_filter import Choices

Kind = CaseChange.Kind
_SENTENCES: dict[str, str | Promise] = {
    Kind.OPENED: gettext_lazy("Opened by hand"),
    Kind.MERGED: gettext_lazy("Merged with another case of the contact"),
    Kind.REMINDED: gettext_lazy("The owner was reminded: it is due soon"),
    Kind.OVERDUE: gettext_lazy("The owner was told that it is overdue"),
}
_ICONS = {
    Kind.OPENED: "life-buoy", Kind.MERGED: "merge", Kind.REMINDED: "bell", Kind.OVERDUE: "clock-alert",
    Kind.ESCALATED: "siren", Kind.ANSWERED: "message-square", Kind.OWNER: "user-round", Kind.DUE: "calendar-clock",
    Kind.URGENT: "flame",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that changed: ``label`` was ``before`` and is ``after``; or only the label, a sentence."""

    label: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something in the conversation. ``thing`` is the response, note or mail; ``lines`` tell what changed."""

    kind: str
    at: datetime
    who: str = ""
    icon: str = ""
    thing: Any = None
    is_anonymous: bool = False
    lines: Sequence[Line] = field(default_factory=list)


def story(case: Case, choices: Choices) -> list[Entry]:
    """The conversation, oldest first. Four queries, five if the contact answered again."""
    related = ("response__survey", "response__version", "response__touchpoint")
    merged = list(case.merged.select_related(*related))
    names = choices.names
    changes = list(CaseChange.objects.filter(case=case))
    own = {row.response_id: row.response for row in (case, *merged)}
    entries = [_response(response) for response in (*own.values(), *_further(changes, own))]
    notes = CaseNote.objects.filter(case=case)
    entries += [Entry("note", n.created_at, names.get(n.author_id or 0, ""), "sticky-note", n) for n in notes]
    mails = CaseMail.objects.filter(case=case).select_related("email").defer("email__values", "email__headers")
    entries += [_mail(mail, case, names) for mail in mails]
    entries += _changes((change for change in changes if not _is_told(change, own)), case, choices)
    return sorted(entries, key=lambda entry: entry.at)


def _further(changes: Iterable[CaseChange], own: Collection[UUID]) -> list[Response]:
    """What the contact answered while the case was open."""
    ids = {UUID(change.data["response"]) for change in changes if change.kind == Kind.ANSWERED}
    ids -= set(own)
    if not ids:
        return []
    return list(Response.objects.filter(pk__in=ids).select_related("survey", "version", "touchpoint"))


def _is_told(change: CaseChange, own: Collection[UUID]) -> bool:
    """Whether it stands there as a response."""
    if change.kind != Kind.ANSWERED or "was" in change.data or "call_back" in change.data:
        return False
    return UUID(change.data["response"]) not in own


def _response(response: Response) -> Entry:
    return Entry("response", response.answered_at, thing=response, is_anonymous=is_anonymous(response))


def _mail(mail: CaseMail, case: Case, names: Mapping[int, str]) -> Entry:
    """Who wrote it: a colleague, the contact, or whatever the address says."""
    if mail.direction == CaseMail.Direction.OUT:
        return Entry("out", mail.at, names.get(mail.author_id or 0, ""), "send", mail)
    is_theirs = case.contact is not None and not mail.is_doubtful
    return Entry("in", mail.at, str(case.contact) if is_theirs else mail.from_address, "reply", mail)


def _changes(changes: Iterable[CaseChange], case: Case, choices: Choices) -> Iterator[Entry]:
    """What one person changed at one time is one entry."""
    telling = _Telling(case, choices)
    for (at, by_id), group in groupby(changes, key=lambda change: (change.at, change.by_id)):
        rows = list(group)
        lines = [telling.line(row) for row in rows]
        icon = next((_ICONS[Kind(row.kind)] for row in rows if row.kind in _ICONS), "arrow-left-right")
        yield Entry("change", at, choices.names.get(by_id or 0, ""), icon, lines=lines)


class _Telling:
    """Changes in words: they keep keys and ids only."""

    def __init__(self, case: Case, choices: Choices) -> None:
        self.rule = str(case.rule) if case.rule else ""
        self.names = choices.names
        self.entries = {
            Kind.OUTCOME: {row.pk: str(row) for row in choices.results},
            Kind.ROOT_CAUSE: {row.pk: str(row) for row in choices.causes},
        }

    def line(self, change: CaseChange) -> Line:
        """One change."""
        kind, data = Kind(change.kind), change.data if isinstance(change.data, dict) else {}
        told = self._sentence(kind, data, is_by_hand=change.by_id is not None)
        if told:
            return Line(told)
        if kind == Kind.ANSWERED:
            return Line(_("The contact changed the answer"), _score(data.get("was")), _score(data.get("score")))
        label = str(capfirst(kind.label))
        return Line(label, self.value(kind, data.get("from")), self.value(kind, data.get("to")))

    def _sentence(self, kind: Kind, data: Mapping[str, Any], *, is_by_hand: bool) -> str:
        """What there is no before and after of; else empty."""
        if kind == Kind.OPENED and not is_by_hand:
            return _("Opened by the rule “%(name)s”") % {"name": self.rule} if self.rule else _("Opened")
        if kind == Kind.URGENT:
            return _("Marked urgent") if data.get("to") else _("Not urgent any more")
        if kind == Kind.ANSWERED and data.get("call_back"):
            return _("The contact asked to be called")
        if kind == Kind.ESCALATED:
            name = self.names.get(data.get("to") or 0, "")
            return _("Escalated to %(name)s") % {"name": name} if name else _("Escalated")
        if kind == Kind.OUTCOME and "to" not in data:
            return _("Wrote down how it ended")
        return str(_SENTENCES.get(kind, ""))

    def value(self, kind: Kind, value: Any) -> str:
        """A key, id or time in words."""
        if kind == Kind.STATUS:
            return str(Case.Status(value).label) if value in Case.Status.values else str(value or "–")
        if kind == Kind.OWNER:
            return self.names.get(value, "–") if value else _("nobody")
        if kind == Kind.DUE:
            at = parse_datetime(value) if isinstance(value, str) else None
            return exact(at) if at else "–"
        return self.entries[kind].get(value, "–") if kind in self.entries else str(value or "–")


def _score(value: Any) -> str:
    return str(value) if isinstance(value, int) else "–"


def exact(moment: datetime) -> str:
    """A time by the tenant's clock."""
    return str(date_format(timezone.localtime(moment), pgettext("date format", "j M Y, H:i")))
