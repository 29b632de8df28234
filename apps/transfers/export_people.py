"""Contacts at risk, advocates and silent ones as a table, with the reasons and the next action in words."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone, translation
from django.utils.translation import get_language

from apps.cases.models import Case
from apps.common.spreadsheets import Cell
from apps.common.texts import FALLBACK
from apps.insights.people_reasons import READERS, Person
from apps.insights.people_words import next_action, sentence
from apps.transfers.export_rows import Table, joined, local, table

HEADER = [
    "id", "external_id", "email", "phone", "name", "company", "company_external_id", "score", "comment", "touchpoint",
    "last_at", "reasons", "next_action", "may_be_written_to", "case_status", "case_owner",
]  # fmt: skip


def people_table(found: QuerySet[Any], *, standing: str, now: datetime, zone: tzinfo) -> Table:
    """The rows of a list in the order given. One query for their ids, then at most three for every part of them."""

    language = get_language() or FALLBACK

    def read(ids: Sequence[UUID]) -> dict[UUID, Sequence[Cell]]:
        # As they are now: who is not in the list any more is left out.
        rows = list(found.filter(pk__in=ids))
        told = READERS[standing](rows, now=now)
        # A file may be written after its request.
        with translation.override(language), timezone.override(zone):
            return {row.pk: _cells(person, row, zone) for row, person in zip(rows, told, strict=True)}

    return table(found, header=HEADER, read=read)


def _cells(person: Person, row: Any, zone: tzinfo) -> Sequence[Cell]:
    contact, answer = person.contact, person.response
    company = contact.company
    return [
        str(contact.pk), contact.external_id, contact.email, contact.phone, contact.name,
        company.name if company else None, company.external_id if company else None,
        answer.score if answer else None, answer.comment if answer else None,
        row.touchpoint.key if row.touchpoint else None, local(person.at, zone),
        joined(sentence(reason) for reason in person.reasons), next_action(person), not person.blocked,
        person.case.status if person.case else None, _owner(person.case),
    ]  # fmt: skip


def _owner(case: Case | None) -> str | None:
    return case.owner.get_username() if case is not None and case.owner is not None else None
