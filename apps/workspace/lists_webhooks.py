"""The rows behind the pages about webhooks."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Count, Prefetch, Q, QuerySet

from apps.integrations.models import Attempt, Delivery, Endpoint, Replay

LATELY = timedelta(days=1)


def endpoints(values: dict[str, Any]) -> QuerySet[Endpoint]:
    """Endpoints that fit an EndpointFilter, without their secrets."""
    found = Endpoint.objects.defer("secret", "old_secret")
    if values["q"]:
        found = found.filter(Q(name__icontains=values["q"]) | Q(url__icontains=values["q"]))
    if values["state"] == "failing":
        found = found.filter(is_active=True, failing_since__isnull=False)
    elif values["state"]:
        found = found.filter(is_active=values["state"] == "on")
    return found


class Lately(NamedTuple):
    """What became of an endpoint's deliveries of the last day."""

    total: int = 0
    failed: int = 0


def with_numbers(rows: Sequence[Endpoint], *, now: datetime) -> list[tuple[Endpoint, Lately]]:
    """Endpoints, each with its numbers. One query."""
    found = Delivery.objects.filter(endpoint__in=rows, created_at__gte=now - LATELY).order_by()
    failed = Count("pk", filter=Q(status=Delivery.Status.FAILED))
    numbers = found.values_list("endpoint").annotate(total=Count("pk"), failed=failed)
    by_endpoint = {pk: Lately(total, failed) for pk, total, failed in numbers}
    return [(row, by_endpoint.get(row.pk, Lately())) for row in rows]


def deliveries(endpoint: Endpoint, values: dict[str, Any], *, now: datetime) -> QuerySet[Delivery]:
    """An endpoint's deliveries that fit a DeliveryFilter, without their content; each with its last try."""
    last = Attempt.objects.order_by("delivery", "-at", "-pk").distinct("delivery")
    last = last.defer("request_headers", "response_headers", "response_excerpt")
    found = Delivery.objects.filter(endpoint=endpoint).defer("payload")
    found = found.prefetch_related(Prefetch("attempts", last, to_attr="last_attempts"))
    if values["q"]:
        found = found.filter(_named(values["q"].strip()))
    if values["days"]:
        found = found.filter(created_at__gte=now - timedelta(days=int(values["days"])))
    return found.filter(**{name: values[name] for name in ("status", "event_type") if values[name]})


def _named(words: str) -> Q:
    """Deliveries whose id this is, or whose content has it as the id of what it is about."""
    about = Q(payload__id=words) | Q(payload__contact_id=words)
    try:
        return about | Q(pk=UUID(words))
    except ValueError:
        return about | Q(reason__icontains=words)


def delivery(endpoint_id: int, pk: UUID) -> Delivery:
    """One delivery with all its tries, the newest first. Raises Delivery.DoesNotExist."""
    tries = Prefetch("attempts", Attempt.objects.order_by("-at", "-pk"))
    return Delivery.objects.select_related("endpoint").prefetch_related(tries).get(endpoint=endpoint_id, pk=pk)


def last_replay(endpoint: Endpoint, *, now: datetime) -> Replay | None:
    """The endpoint's newest repetition, while it is of interest."""
    return endpoint.replays.filter(created_at__gte=now - LATELY).order_by("-created_at").first()
