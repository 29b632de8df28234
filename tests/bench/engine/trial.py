"""Seconds for a dry run over so many events: ``python -m tests.bench.engine.trial EVENTS`` prints JSON."""

import resource
import sys
import time
from datetime import timedelta

import django
from django.utils import timezone


def main(count: int) -> None:
    """A draft rule at all touchpoints, tried on a year of events of 100,000 contacts."""
    django.setup()
    from apps.touchpoints.models import Touchpoint
    from apps.triggers import dry_runs, versions
    from apps.triggers.models import TriggerRule
    from tests.bench.engine import world

    with world.tenant("trial"):
        touchpoints = world.furnish()
        world.events(touchpoints, count=count, tag="past", status="decided", days=360)
        world.settle()
        TriggerRule.objects.update(is_active=False)
        rule = TriggerRule.objects.select_related("survey").first()
        assert rule is not None
        draft = versions.snapshot(rule, segments={}, touchpoints=Touchpoint.objects.all())
        now = timezone.now() + timedelta(seconds=1)
        run = dry_runs.start(title="bench", days=366, now=now, draft=draft, replaces=rule.pk)
        started = time.perf_counter()
        dry_runs.run_next(now=now, clock=timezone.now)
        seconds = time.perf_counter() - started
        run.refresh_from_db()
        assert run.events_done == count, run.events_done
        assert sum(n for _status, _reason, n in run.result["rule"]["reasons"]) == count
        megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        world.show(seconds=seconds, megabytes=megabytes, reasons=run.result["rule"]["reasons"])


if __name__ == "__main__":
    main(int(sys.argv[1]))
