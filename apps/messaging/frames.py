"""What messages share: stored once, found by content, taken apart once per process."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from apps.common.patterns import Pattern
from apps.messaging.models import MailFrame

REMEMBERED = 200
"""Frames of all tenants that a process keeps ready; each is some 50 KB."""


class Words(NamedTuple):
    """A frame's text and HTML; the HTML is empty for what is text only."""

    text: str
    html: str

    @property
    def digest(self) -> bytes:
        """By what it is found: SHA-256 over both."""
        return hashlib.sha256(f"{self.text}\x1f{self.html}".encode("utf-8", "replace")).digest()


VERBATIM = Words("{{ text }}", "{{ body_html }}")
"""The frame of messages that share nothing: their values are all there is."""


class Frame(NamedTuple):
    """A frame ready to be filled."""

    text: Pattern
    html: Pattern | None


_ready: "OrderedDict[bytes, Frame]" = OrderedDict()
_lock = threading.Lock()


def store(words: Iterable[Words]) -> dict[Words, int]:
    """The ids of frames with these words, made where there are none. Two queries, one more if some are new."""
    wanted = {one.digest: one for one in words}
    found = _find(wanted)
    fresh = [one for digest, one in wanted.items() if digest not in found]
    if fresh:
        rows = [MailFrame(digest=one.digest, text=_storable(one.text), html=_storable(one.html)) for one in fresh]
        MailFrame.objects.bulk_create(rows, ignore_conflicts=True)
        found = _find(wanted)
    return {one: found[digest] for digest, one in wanted.items()}


def _find(digests: Collection[bytes]) -> dict[bytes, int]:
    rows = MailFrame.objects.filter(digest__in=digests).values_list("digest", "id")
    return {bytes(digest): frame_id for digest, frame_id in rows}


def _storable(text: str) -> str:
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def ready(ids: Collection[int]) -> Mapping[int, Frame]:
    """Frames of the current tenant, taken apart. One query, one more for what this process does not know yet.

    They are kept by their content, so that no tenant can meet another's.
    """
    digests = {frame_id: bytes(d) for frame_id, d in MailFrame.objects.filter(id__in=ids).values_list("id", "digest")}
    with _lock:
        found = {one: _ready[digest] for one, digest in digests.items() if digest in _ready}
        for one in found:
            _ready.move_to_end(digests[one])
    missing = set(digests) - set(found)
    if missing:
        for frame_id, text, html in MailFrame.objects.filter(id__in=missing).values_list("id", "text", "html"):
            found[frame_id] = Frame(Pattern(text), Pattern(html, is_html=True) if html else None)
    with _lock:
        _ready.update({digests[one]: found[one] for one in missing if one in found})
        while len(_ready) > REMEMBERED:
            _ready.popitem(last=False)
    return found
