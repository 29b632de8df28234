"""What came of a batch: how many rows ended how, and what was made, for taking it back."""

from dataclasses import dataclass, field
from uuid import UUID


@dataclass(slots=True)
class Outcome:
    """Counts of rows, and the keys of what did not exist before."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    contacts: list[str] = field(default_factory=list)
    legal_bases: list[int] = field(default_factory=list)
    responses: list[UUID] = field(default_factory=list)
    suppressions: list[int] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)
    """Rows (by their place in the batch) that could not be stored after all, and why."""

    def add(self, other: "Outcome") -> None:
        """Take over what came of another part of the batch."""
        self.created += other.created
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.skipped += other.skipped
        for name in ("contacts", "legal_bases", "responses", "suppressions"):
            getattr(self, name).extend(getattr(other, name))
