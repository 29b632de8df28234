"""Pools with codes, and responses that are to get some."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from apps.contacts.models import Contact
from apps.incentives import services, stock
from apps.incentives.models import Voucher, VoucherPool
from apps.incentives.services import Issued, Wanted
from apps.responses.models import Response
from apps.surveys.models import Survey
from tests import factories

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def make_pool(codes: int = 0, **values: Any) -> VoucherPool:
    """A pool with so many codes: NAME-00000, NAME-00001, …"""
    defaults: dict[str, Any] = {"name": "Sorry", "value": {"en": "10 % off"}, "low_stock": None}
    pool = VoucherPool.objects.create(**{**defaults, **values})
    if codes:
        lines = ((number, f"{pool.name}-{number:05}") for number in range(codes))
        stock.add_codes(pool_id=pool.pk, lines=lines, now=NOW)
    return pool


def generating(**values: Any) -> VoucherPool:
    """A pool that makes its codes."""
    return make_pool(**{"name": "Made", "kind": "generated", "pattern": "THANKS-####-####", **values})


def answered(count: int = 1, *, survey: Survey | None = None, **values: Any) -> list[Response]:
    """Responses of as many contacts."""
    survey = survey or factories.SurveyFactory()
    contacts = Contact.objects.bulk_create(factories.ContactFactory.build_batch(count))
    return Response.objects.bulk_create(
        Response(survey=survey, contact=contact, score=2, answered_at=NOW, updated_at=NOW, **values)
        for contact in contacts
    )


def wanted(responses: list[Response], what: str = "step") -> list[Wanted]:
    return [Wanted(row.pk, row.contact_id, f"{what}:{row.pk}") for row in responses]


def give(pool: VoucherPool, responses: list[Response], what: str = "step", now: datetime = NOW) -> dict[str, Issued]:
    return services.issue(pool_id=pool.pk, wanted=wanted(responses, what), now=now)


def voucher(pk: UUID) -> Voucher:
    return Voucher.objects.get(pk=pk)
