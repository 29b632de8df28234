"""Bringing files in, as a page and a worker do it."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from apps.transfers import runs, services
from apps.transfers.models import Import

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def ticking(start: datetime = NOW) -> Any:
    """A clock that never says the same twice."""

    def ticks() -> Iterator[datetime]:
        at = start
        while True:
            at += timedelta(milliseconds=10)
            yield at

    found = ticks()
    return lambda: next(found)


clock = ticking()


def uploaded(content: str | bytes, *, kind: str = "contacts", name: str = "file.csv") -> Import:
    """A file in small parts."""
    data = content.encode() if isinstance(content, str) else content
    parts = (data[at : at + 1000] for at in range(0, len(data), 1000))
    return services.upload(kind=kind, file_name=name, parts=parts, now=clock())


def work(source: Import) -> Import:
    """What the worker does until nothing is left to do now."""
    for _step in range(1000):
        if not runs.run_next(now=clock(), clock=clock):
            break
    source.refresh_from_db()
    return source


def imported(
    content: str | bytes, *, kind: str = "contacts", mapping: Sequence[str] | None = None, **options: Any
) -> Import:
    """A file, from its upload to its last row."""
    source = uploaded(content, kind=kind)
    if source.status == Import.Status.UPLOADED:
        source = work(source)
    services.choose(import_id=source.pk, mapping=mapping or source.mapping, options=options, now=clock())
    services.run(import_id=source.pk, now=clock())
    return work(source)


def counts(source: Import) -> dict[str, int]:
    """How many rows ended how; those that are none are left out."""
    names = ("created", "updated", "unchanged", "skipped", "bad")
    return {name: getattr(source, name) for name in names if getattr(source, name)}
