"""The step that gives the contact a voucher; later mails of the sequence may name it."""

from collections import defaultdict
from collections.abc import Sequence
from typing import cast

from apps.campaigns.runs import Run
from apps.incentives import services as incentives
from apps.incentives.models import VoucherPool
from apps.incentives.services import Wanted


def run(runs: Sequence[Run]) -> None:
    """Issue a voucher per run, pool by pool; runs that get none are skipped with the pool's reason."""
    by_pool: dict[int, list[Run]] = defaultdict(list)
    for one in runs:
        by_pool[cast("int", one.setting("pool"))].append(one)
    # Always in the same order: two workers must not wait for each other.
    for pool_id, group in sorted(by_pool.items()):
        _issue(pool_id, group)


def _issue(pool_id: int, runs: Sequence[Run]) -> None:
    now = runs[0].now
    wanted = [Wanted(one.response.pk, one.response.contact_id, reason_of(one)) for one in runs]
    try:
        issued = incentives.issue(pool_id=pool_id, wanted=wanted, now=now)
    except VoucherPool.DoesNotExist:
        for one in runs:
            one.skip("pool_gone")
        return
    missing = len(issued) < len(wanted) and incentives.why_none(pool_id=pool_id, now=now)
    for one in runs:
        voucher = issued.get(reason_of(one))
        if voucher is None:
            one.skip(missing or "no_voucher")
        else:
            one.row.result = {"voucher": str(voucher.voucher_id)}
            one.done()


def reason_of(run: Run) -> str:
    """What the voucher is for: asked again, it is the same one."""
    return f"step:{run.row.pk}"
