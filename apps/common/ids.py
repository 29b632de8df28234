"""Identifiers that are safe to show: time-ordered, not guessable."""

import os
import time
from uuid import UUID


def uuid7() -> UUID:
    """A version 7 UUID (RFC 9562, 5.7): 48 bits of Unix milliseconds, then 74 random bits.

    Time order keeps index pages warm on insert; the random part keeps ids from being enumerated.
    """
    millis = time.time_ns() // 1_000_000
    rand = int.from_bytes(os.urandom(10), "big")
    value = (millis & 0xFFFF_FFFF_FFFF) << 80
    value |= 0x7 << 76 | (rand >> 68 & 0xFFF) << 64 | 0b10 << 62 | rand & 0x3FFF_FFFF_FFFF_FFFF
    return UUID(int=value)
