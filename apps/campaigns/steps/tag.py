"""The step that tags the response."""

from collections.abc import Sequence
from typing import Any

from apps.campaigns.runs import Run
from apps.responses.models import Response

MAX_TAGS = 50


def run(runs: Sequence[Run]) -> None:
    """Add and take away tags. One query to read and lock, one to write."""
    ids = sorted({one.response.pk for one in runs})
    rows = {row.pk: row for row in Response.objects.filter(pk__in=ids).order_by("pk").select_for_update()}
    for one in runs:
        row = rows.get(one.response.pk)
        if row is None:
            one.skip("response_gone")
            continue
        row.tags = _changed(row.tags, one.setting("add") or [], one.setting("remove") or [])
        # What is run after this in the same batch sees them, too.
        one.response.tags = row.tags
        one.done()
    Response.objects.bulk_update(rows.values(), ["tags"], batch_size=500)


def _changed(tags: Sequence[str], add: Any, remove: Any) -> list[str]:
    return list(dict.fromkeys([*(tag for tag in tags if tag not in remove), *add]))[:MAX_TAGS]
