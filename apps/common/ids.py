"""Identifiers that are safe to show: time-ordered, not guessable."""

import os
import time
from uuid import UUID


def uuid7() -> UUID:
    """A version 7 UUID (RFC 9562, 5.7): 48 bits of Unix milliseconds, 12 bits of their fraction, 62 random bits.

    The fraction (RFC 9562, 6.2, method 3) keeps ids in order that are made one after the other within a millisecond.
    Time order keeps index pages warm on insert; the random part keeps ids from being enumerated.
    """
    millis, rest = divmod(time.time_ns(), 1_000_000)
    value = (millis & 0xFFFF_FFFF_FFFF) << 80 | 0x7 << 76 | (rest * 4096 // 1_000_000) << 64
    value |= 0b10 << 62 | int.from_bytes(os.urandom(8), "big") >> 2
    return UUID(int=value)
