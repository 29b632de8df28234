"""What all parts of one tenant's history share. Pure: no Django."""

from dataclasses import dataclass
from datetime import datetime
from random import Random
from uuid import UUID

from apps.workspace.demo.blueprint import Brand, Window
from apps.workspace.demo.records import Records, Wiring


@dataclass(frozen=True, slots=True)
class Tale:
    """What all parts of one tenant's history share."""

    brand: Brand
    wiring: Wiring
    window: Window
    rng: Random
    records: Records

    def new_id(self, moment: datetime) -> UUID:
        """A version 7 UUID from the seeded generator, with the time of what it names."""
        rand = self.rng.getrandbits(74)
        value = int(moment.timestamp() * 1000) << 80 | 0x7 << 76 | (rand >> 62) << 64 | 0b10 << 62
        return UUID(int=value | rand & 0x3FFF_FFFF_FFFF_FFFF)
