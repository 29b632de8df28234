"""What a notice says, in its receiver's language: a headline, some facts, a quotation, and the page to go to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext, pgettext
from django.utils.translation import gettext_lazy as _

from apps.alerts.grouping import Message
from apps.alerts.models import Kind, Notice, When
from apps.common.segments import segment_of
from apps.common.texts import localized
from apps.common.variables import one_line
from apps.responses.models import Response

MAX_LINES = 50
"""So many notices a summary names; the rest is a number."""
MAX_QUOTE, MAX_SHORT = 1000, 200
LOG = "/alerts/log/"
_WHO: dict[str, Promise] = {
    "promoter": _("Promoter"),
    "passive": _("Passive"),
    "detractor": _("Detractor"),
}
_HEADLINES: dict[str, Promise] = {
    Kind.CASE_ASSIGNED: _("Case given to you: %(contact)s"),
    Kind.CASE_MENTION: _("You were mentioned: %(contact)s"),
    Kind.CASE_DUE: _("Case due soon: %(contact)s"),
    Kind.CASE_OVERDUE: _("Case overdue: %(contact)s"),
    Kind.CASE_ESCALATED: _("Case escalated: %(contact)s"),
    Kind.CASE_REPLY: _("%(contact)s wrote back"),
    Kind.VOUCHERS_LOW: _("Vouchers are running out: %(pool)s"),
    Kind.CAMPAIGN_FAILED: _("A campaign's step failed: %(campaign)s"),
    Kind.MAP_REVIEW: _("The journey map is due for review"),
}
_TO_OTHERS: dict[str, Promise] = {Kind.CASE_ASSIGNED: _("Case given to somebody: %(contact)s")}
_LABELS: dict[str, Promise] = {
    "company": _("Company"), "score": _("Score"), "touchpoint": _("Touchpoint"), "survey": _("Survey"),
    "due": _("Due"), "by": _("By"), "owner": _("Owner"), "left": _("Left"), "error": _("Error"),
    "call_back": _("Wants to be called"),
}  # fmt: skip
_FIRST = tuple(Kind.values)


@dataclass(frozen=True, slots=True)
class Item:
    """One notice in words. Everything is plain text that others wrote: to be escaped where it is shown."""

    kind: str
    headline: str
    facts: tuple[tuple[str, str], ...]
    quote: str
    url: str


@dataclass(frozen=True, slots=True)
class Told:
    """One message in words: ``groups`` are kinds with their items, ``more`` is how many are not named."""

    subject: str
    groups: tuple[tuple[str, tuple[Item, ...]], ...]
    more: int
    more_url: str
    is_together: bool

    @property
    def items(self) -> list[Item]:
        """All that are named."""
        return [item for _name, items in self.groups for item in items]


def named(message: Message) -> list[Notice]:
    """The notices that a message names, by kind, and within a kind the oldest first."""
    return sorted(message.notices, key=lambda row: _FIRST.index(row.kind))[:MAX_LINES]


def told(message: Message, about: Mapping[UUID, Response], *, language: str, base_url: str) -> Told:
    """A message in words, with the responses that are named; the language must be active."""
    items = [_item(row, about, language, base_url) for row in named(message)]
    subject = _subject(message) if message.is_together else items[0].headline
    more = len(message.notices) - len(items)
    return Told(subject, _grouped(items), more, base_url + LOG, message.is_together)


def _subject(message: Message) -> str:
    count = len(message.notices)
    number = {"count": count}
    if message.when == When.DAILY:
        return ngettext("Your day: one notice", "Your day: %(count)d notices", count) % number
    if message.when == When.WEEKLY:
        return ngettext("Your week: one notice", "Your week: %(count)d notices", count) % number
    return ngettext("One notice", "%(count)d notices at once", count) % number


def _grouped(items: Sequence[Item]) -> tuple[tuple[str, tuple[Item, ...]], ...]:
    kinds = dict.fromkeys(item.kind for item in items)
    return tuple((str(capfirst(Kind(kind).label)), tuple(one for one in items if one.kind == kind)) for kind in kinds)


def _item(row: Notice, about: Mapping[UUID, Response], language: str, base_url: str) -> Item:
    response = about.get(row.response_id) if row.response_id is not None else None
    values: dict[str, str] = dict(row.values)
    if response is not None:
        # What is known now counts: the contact may have been erased since, or the comment changed.
        values = {**values, **_values_of(response, language)}
    headline = _of_response(response) if row.kind == Kind.RESPONSE and response else _headline(row, values)
    names = [name for name in _LABELS if values.get(name) and not (row.kind == Kind.RESPONSE and name == "score")]
    return Item(
        kind=row.kind,
        headline=short(headline),
        facts=tuple((str(_LABELS[name]), short(values[name])) for name in names),
        quote=_cut((values.get("said") or values.get("comment", "")).strip(), MAX_QUOTE),
        url=base_url + row.path,
    )


def _headline(row: Notice, values: Mapping[str, str]) -> str:
    known = {name: values.get(name) or gettext("unknown") for name in ("pool", "campaign")}
    known["contact"] = values.get("contact") or pgettext("contact", "anonymous")
    others = _TO_OTHERS if row.channel_id is not None else {}
    return str(others.get(row.kind, _HEADLINES.get(row.kind, "%(contact)s"))) % known


def _of_response(response: Response) -> str:
    who = person_of(response) or pgettext("contact", "anonymous")
    if response.score is None:
        return gettext("Answer without a score from %(who)s") % {"who": who}
    words = {"segment": _WHO[segment_of(response.score)], "score": response.score, "who": who}
    return gettext("%(segment)s: %(score)s from %(who)s") % words


def person_of(response: Response) -> str:
    """The contact's name, or what else tells who it is; empty if nobody may know."""
    contact = None if getattr(response, "is_promised", True) else response.contact
    return (contact.name or contact.email or contact.phone or contact.external_id or "") if contact else ""


def _values_of(response: Response, language: str) -> dict[str, str]:
    contact = None if getattr(response, "is_promised", True) else response.contact
    return {
        "contact": person_of(response),
        "company": contact.company.name if contact and contact.company else "",
        "score": "" if response.score is None else str(response.score),
        "touchpoint": localized(response.touchpoint.name, language) if response.touchpoint else "",
        "survey": localized(response.survey.name, language),
        "comment": response.comment,
        "call_back": response.call_back if contact else "",
    }


def short(text: str) -> str:
    """One line of bounded length."""
    return _cut(one_line(text), MAX_SHORT)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
