"""Secrets at rest: encrypted and authenticated, under keys that can be replaced.

What is stored begins with a mark, so that text from before a field was sealed can still be read.
The newest key seals; older ones only open, until ``manage.py reseal`` has brought everything over.
"""

import base64
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeVar

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

T = TypeVar("T")
MARK = "sealed:1:"
UNREADABLE = _(
    "What is stored here was encrypted under another key. Put the old key into CREDENTIALS_KEY_FALLBACKS, "
    "or enter the value again."
)


class UnreadableError(Exception):
    """A sealed value that none of the keys opens."""

    def __str__(self) -> str:
        return str(UNREADABLE)


class Unreadable(str):
    """Stands for a text that no key opens: what is stored, unchanged, so that saving the row loses nothing.

    To anybody outside it is as hard to guess as the secret itself; nothing signed with it verifies.
    """

    __slots__ = ()


class UnreadableSettings(dict[str, Any]):
    """Stands for settings that no key opens: empty, and remembers what is stored."""

    def __init__(self, stored: str) -> None:
        super().__init__()
        self.stored = stored


def seal(purpose: str, value: str) -> str:
    """The text, readable only with the key and for the same purpose. Nothing stays nothing."""
    return MARK + _box(purpose, _keys()).encrypt(value.encode()).decode() if value else ""


def unseal(purpose: str, stored: str) -> str:
    """The text that was sealed; :class:`UnreadableError` if no key opens it."""
    if not stored.startswith(MARK):
        return stored
    try:
        return _box(purpose, _keys()).decrypt(stored.removeprefix(MARK).encode()).decode()
    except (InvalidToken, UnicodeError) as error:
        raise UnreadableError from error


def is_newest(purpose: str, stored: str) -> bool:
    """Whether the newest key sealed it (or there is nothing to seal)."""
    if not stored:
        return True
    try:
        _box(purpose, _keys()[:1]).decrypt(stored.removeprefix(MARK).encode())
    except (InvalidToken, UnicodeError):
        return False
    return stored.startswith(MARK)


def problem(value: object) -> Promise | str:
    """The sentence to show where a value cannot be read; "" where it can."""
    return UNREADABLE if isinstance(value, Unreadable | UnreadableSettings) else ""


def readable(value: T) -> T:
    """The value itself; :class:`UnreadableError` where no key opens it."""
    if problem(value):
        raise UnreadableError
    return value


def pack(value: Mapping[str, Any]) -> str:
    """Settings as the text that is sealed; nothing for none."""
    return json.dumps(value, sort_keys=True) if value else ""


def unpack(text: str) -> dict[str, Any]:
    """What :func:`pack` made."""
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {}


def _keys() -> tuple[str, ...]:
    """The newest first. SECRET_KEY opens too: it sealed before there was a key of its own."""
    keys = [
        settings.CREDENTIALS_KEY,
        *settings.CREDENTIALS_KEY_FALLBACKS,
        settings.SECRET_KEY,
        *settings.SECRET_KEY_FALLBACKS,
    ]
    return tuple(dict.fromkeys(keys))


@lru_cache(maxsize=64)
def _box(purpose: str, keys: tuple[str, ...]) -> MultiFernet:
    """Keys derived for one purpose: what is sealed for one field opens in no other."""
    return MultiFernet([Fernet(_derive(purpose, key)) for key in keys])


def _derive(purpose: str, key: str) -> bytes:
    kdf = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=f"resonanz|{purpose}".encode())
    return base64.urlsafe_b64encode(kdf.derive(key.encode()))
