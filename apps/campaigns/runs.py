"""A due step with all it works on."""

from dataclasses import dataclass, field
from datetime import datetime

from apps.campaigns.models import StepRun
from apps.campaigns.sequence import Sequence, Step
from apps.responses.models import Response


@dataclass(slots=True)
class Run:
    """One due step run; how it ends is noted on ``row``, which the caller saves. Still open: nobody has judged it."""

    row: StepRun
    sequence: Sequence
    now: datetime
    base_url: str
    response: Response = field(init=False)
    step: Step | None = field(init=False)
    """None: the version does not have it."""
    ends: str = ""
    """Why the whole enrolment ends here; "" if it goes on."""
    is_held: bool = False

    def __post_init__(self) -> None:
        self.response = self.row.enrolment.response
        self.step = self.sequence.steps.get(self.row.step_key)

    @property
    def is_open(self) -> bool:
        """Whether it has still to be run now."""
        return self.row.status == StepRun.Status.PENDING and not self.is_held

    def setting(self, name: str) -> object:
        """One of the step's settings; None if it is not set."""
        return self.step.settings.get(name) if self.step else None

    def done(self) -> None:
        """The step did what it is for."""
        self.row.status, self.row.reason, self.row.done_at = StepRun.Status.DONE, "", self.now

    def skip(self, reason: str) -> None:
        """The step was not wanted (any more); the sequence goes on."""
        self.row.status, self.row.reason, self.row.done_at = StepRun.Status.SKIPPED, reason, self.now

    def stop(self, reason: str) -> None:
        """The step is not wanted, and none after it."""
        self.skip(reason)
        self.ends = reason

    def hold(self, reason: str, until: datetime) -> None:
        """The step waits."""
        self.row.reason, self.row.due_at, self.is_held = reason, until, True
