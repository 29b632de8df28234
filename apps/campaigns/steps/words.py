"""A step's own words, filled for one response."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.utils import formats, timezone, translation

from apps.campaigns.models import StepRun
from apps.campaigns.runs import Run
from apps.campaigns.sequence import Kind
from apps.common.texts import localized
from apps.common.variables import VARIABLE, fill, one_line
from apps.incentives.models import Voucher
from apps.messaging import templating
from apps.responses import after_links

MAX_COMMENT = 1000


def values_of(run: Run, language: str, brand: str) -> dict[str, str]:
    """What all words may name, in the language they are written in."""
    response, contact = run.response, run.response.contact
    first, _last = templating.person(contact.name, contact.properties) if contact else ("", "")
    company = contact.company if contact else None
    return {
        "name": one_line(contact.name) if contact else "",
        "first_name": one_line(first),
        "score": "" if response.score is None else str(response.score),
        "comment": response.comment[:MAX_COMMENT],
        "touchpoint": localized(response.touchpoint.name, language) if response.touchpoint else "",
        "brand": brand,
        "company": one_line(company.name) if company else "",
        "external_id": one_line(contact.external_id or "") if contact else "",
        "answer_url": after_links.answer_url(response_id=response.pk, base_url=run.base_url, now=run.now),
        "call_back_url": after_links.call_back_url(response_id=response.pk, base_url=run.base_url, now=run.now),
    }


def filled(texts: Any, language: str, values: Mapping[str, str]) -> str:
    """A text in the language, with its variables; "" if there is none."""
    return fill(localized(texts, language) if texts else "", values).replace("\r\n", "\n")


def address(url: object, values: Mapping[str, str]) -> str:
    """A link with its variables: whatever they hold stays within the part of the address where they stand."""
    whole = {name: value for name, value in values.items() if name.endswith("_url")}
    return fill(str(url or ""), {**{name: quote(value, safe="") for name, value in values.items()}, **whole})


def vouchers(runs: Sequence[Run]) -> dict[UUID, Voucher]:
    """Enrolment → the voucher that a step before issued, the last if there were several. Two queries."""
    owners = [run.row.enrolment_id for run in runs]
    rows = StepRun.objects.filter(enrolment__in=owners, kind=Kind.VOUCHER, status=StepRun.Status.DONE)
    results = rows.order_by("position").values_list("enrolment_id", "result")
    last = {owner: result["voucher"] for owner, result in results if "voucher" in result}
    found = {str(row.pk): row for row in Voucher.objects.filter(pk__in=last.values()).select_related("pool")}
    return {owner: found[pk] for owner, pk in last.items() if pk in found}


def lack_voucher(texts: Iterable[str], values: Mapping[str, str]) -> bool:
    """Whether these words name the code of a voucher that there is not, and have nothing else to say instead."""
    if values.get("voucher"):
        return False
    return any(one[1] == "voucher" and not one[2] for text in texts for one in VARIABLE.finditer(text))


def voucher_values(voucher: Voucher | None, language: str) -> dict[str, str]:
    """What mails say of a voucher; empty without one."""
    if voucher is None:
        return {"voucher": "", "voucher_value": "", "voucher_until": ""}
    return {
        "voucher": voucher.code,
        "voucher_value": localized(voucher.pool.value, language),
        "voucher_until": _day(voucher.valid_until, language),
    }


def _day(at: datetime | None, language: str) -> str:
    if at is None:
        return ""
    with translation.override(language):
        return formats.date_format(timezone.localtime(at), "DATE_FORMAT")
