"""What every kind of step works on."""

from dataclasses import dataclass
from datetime import datetime

from apps.campaigns.models import StepRun
from apps.responses.models import Response


@dataclass(frozen=True, slots=True)
class Run:
    """One due step run with what it needs; its end is noted on ``row`` and saved by the caller."""

    row: StepRun
    response: Response
    now: datetime
    base_url: str

    def done(self) -> None:
        """The step did what it is for."""
        self.row.status, self.row.done_at = StepRun.Status.DONE, self.now

    def skip(self, reason: str) -> None:
        """The step was not wanted (any more)."""
        self.row.status, self.row.reason, self.row.done_at = StepRun.Status.SKIPPED, reason, self.now
