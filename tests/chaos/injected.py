"""What a trial did."""

from typing import Any, NamedTuple


class Injected(NamedTuple):
    """What was done, and how many mails may be of unknown fate after it: at most one per worker and fault."""

    what: str
    unknown: int = 0
    replaced: int = 0
    """How many processes were ended on purpose."""
    checks: tuple[Any, ...] = ()
    """What came of it, if it is not about the load."""
