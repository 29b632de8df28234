"""What conditions of campaigns may speak of."""

from collections.abc import Mapping

from apps.common.conditions import Catalogue, Condition, Kind, parse

_ENTRY: Mapping[str, Kind] = {
    "response.score": Kind.NUMBER,
    "response.comment": Kind.TEXT,
    "response.has_comment": Kind.BOOL,
    "response.wants_call": Kind.BOOL,
    "response.channel": Kind.TEXT,
    "response.language": Kind.TEXT,
    "response.touchpoint": Kind.TEXT,
    "response.survey": Kind.TEXT,
    "response.tags": Kind.TEXT,
    "contact.email": Kind.TEXT,
    "contact.external_id": Kind.TEXT,
    "contact.name": Kind.TEXT,
    "contact.locale": Kind.TEXT,
    "contact.country": Kind.TEXT,
    "contact.created_at": Kind.TIME,
    "company.name": Kind.TEXT,
    "company.external_id": Kind.TEXT,
    "company.country": Kind.TEXT,
}
_LATER: Mapping[str, Kind] = {
    "case.opened": Kind.BOOL,
    "case.open": Kind.BOOL,
    "case.status": Kind.TEXT,
    "again.answered": Kind.BOOL,
    "again.score": Kind.NUMBER,
    "again.change": Kind.NUMBER,
    "voucher.issued": Kind.BOOL,
    "voucher.redeemed": Kind.BOOL,
    "mail.bounced": Kind.BOOL,
}
_OPEN = frozenset({"answer", "property", "contact", "company"})
ENTRY_CATALOGUE = Catalogue(fields=_ENTRY, open_roots=_OPEN)
"""Who enters: what is known when the answer has come. ``answer.<question>``, ``property.<name>`` of the response."""
BRANCH_CATALOGUE = Catalogue(fields={**_ENTRY, **_LATER}, open_roots=_OPEN)
"""Which way to go: also what has happened since."""


def parse_entry(tree: object) -> Condition:
    """Who enters a campaign. Raises ConditionError that names all that is wrong."""
    return parse(tree, ENTRY_CATALOGUE)


def parse_branch(tree: object) -> Condition:
    """Which way a branch leads. Raises ConditionError that names all that is wrong."""
    return parse(tree, BRANCH_CATALOGUE)
