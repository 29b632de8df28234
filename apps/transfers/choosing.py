"""What a human (or a program) says about an import's columns, checked."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from apps.common.schedule import valid_region
from apps.contacts.models import LegalBasis
from apps.messaging.models import Suppression
from apps.surveys.models import Survey
from apps.transfers.fields import MAX_KEY, PREFIX, takes_properties, targets
from apps.transfers.models import Import
from apps.transfers.problems import TransferError

Kind = Import.Kind
_OPTIONS: Mapping[str, type] = {
    "legal_basis": dict, "country": str, "existing": str, "day_first": bool, "survey": str, "tags": list, "reason": str,
}  # fmt: skip
_BASIS_LIMITS = {"source": 120, "text_version": 60, "wording": 10_000, "granted_at": 40}
_MAX_TAGS = 20


def checked_mapping(*, source: Import, mapping: Sequence[str]) -> list[str]:
    """The mapping, if the file can be imported with it. Raises TransferError."""
    found = [str(target).strip() for target in mapping]
    if len(found) != len(source.headers):
        raise TransferError(_("Say for each of the %(count)s columns what it means.") % {"count": len(source.headers)})
    known = targets(source.kind)
    seen: set[str] = set()
    for target, header in zip(found, source.headers, strict=True):
        if target and target not in known and not _is_property(target, source.kind):
            raise TransferError(_("“%(target)s” is nothing a column can mean here.") % {"target": target[:80]})
        if target in seen:
            raise TransferError(
                _("Two columns mean the same. Choose something else for “%(column)s”.") % {"column": header}
            )
        seen |= {target} - {""}
    _check_needed(source.kind, seen)
    return found


def _is_property(target: str, kind: str) -> bool:
    key = target.removeprefix(PREFIX)
    is_fit = 1 <= len(key) <= MAX_KEY and key.isprintable() and "\x00" not in key
    return takes_properties(kind) and target.startswith(PREFIX) and is_fit


def _check_needed(kind: str, seen: set[str]) -> None:
    if kind == Kind.CONTACTS and not seen & {"external_id", "email"}:
        raise TransferError(_("Choose a column with the external id or the e-mail address."))
    if kind == Kind.COMPANIES and "external_id" not in seen:
        raise TransferError(_("Choose a column with the external id of the company."))
    if kind == Kind.SUPPRESSIONS and "address" not in seen:
        raise TransferError(_("Choose a column with the address."))
    if kind == Kind.RESPONSES and not ("answered_at" in seen and seen & {"score", "comment"}):
        raise TransferError(_("Choose the columns with the time of the answer, and with the score or the comment."))


def checked_options(*, source: Import, options: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The import's options with these in place of older ones. Raises TransferError."""
    for name, value in options.items():
        is_known = name in _OPTIONS and (value is None or isinstance(value, _OPTIONS[name]))
        if not is_known or (isinstance(value, str) and "\x00" in value):
            raise TransferError(_("“%(option)s” is no option of an import.") % {"option": str(name)[:80]})
    found = {**source.options, **options}
    if found.get("legal_basis"):
        found["legal_basis"] = _checked_basis(found["legal_basis"], now)
    found["country"] = str(found.get("country") or "").upper()
    if not valid_region(found["country"], ""):
        raise TransferError(_("Choose a country of two letters, such as DE."))
    if (found.get("existing") or "update") not in {"update", "skip"}:
        raise TransferError(_("Choose what happens to contacts that are known already."))
    if source.kind == Kind.SUPPRESSIONS and (found.get("reason") or "imported") not in Suppression.Reason.values:
        raise TransferError(_("Choose a reason of the list."))
    if source.kind == Kind.RESPONSES:
        _check_responses(found)
    return found


def _check_responses(found: dict[str, Any]) -> None:
    survey = Survey.objects.filter(key=found.get("survey") or "").first()
    if survey is None:
        raise TransferError(_("Choose the survey that the responses belong to."))
    if survey.is_anonymous:
        raise TransferError(_("Responses of an anonymous survey cannot be imported. Choose another one."))
    tags = found.get("tags") or []
    if len(tags) > _MAX_TAGS or not all(
        isinstance(tag, str) and 0 < len(tag) <= 60 and "\x00" not in tag for tag in tags
    ):
        raise TransferError(_("Give at most 20 tags of at most 60 characters."))


def _checked_basis(told: Mapping[str, Any], now: datetime) -> dict[str, str]:
    basis = {name: str(told.get(name) or "").strip() for name in ("kind", *_BASIS_LIMITS)}
    if not any(basis.values()):
        return {}
    if basis["kind"] not in {"", *LegalBasis.Kind.values}:
        raise TransferError(_("Choose a legal basis of the list."))
    if any(len(basis[name]) > limit or "\x00" in basis[name] for name, limit in _BASIS_LIMITS.items()):
        raise TransferError(_("What you say about the legal basis is too long."))
    if basis["kind"] and not basis["source"]:
        raise TransferError(_("Say where the consent or the address comes from: a legal basis needs its source."))
    if basis["kind"] == LegalBasis.Kind.EXISTING_CUSTOMER and not (basis["text_version"] or basis["wording"]):
        raise TransferError(_("Give the notice that the customer got, or its version: without it nothing is proven."))
    if basis["granted_at"]:
        try:
            at = datetime.fromisoformat(basis["granted_at"])
        except ValueError as error:
            raise TransferError(_("Write the time of the legal basis as a date.")) from error
        at = at if at.tzinfo is not None else at.astimezone(now.tzinfo)
        if at > now:
            raise TransferError(_("The legal basis cannot begin in the future."))
        basis["granted_at"] = at.isoformat()
    return basis
