"""Which words a comment says: whole words whatever their capitals, and phrases. Pure: no Django."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache


def says(comment: str, keywords: Iterable[str]) -> str:
    """The first of the keywords that the comment says, as it was written; "" if it says none.

    “cancel” is not in “cancellation”, but “cancel*” is; a phrase may run over a line's end. Letters are the same
    however they are put together: ü as one character or as u with dots, ß or ss.
    """
    said = _plain(comment)
    return next((word for word in keywords if (found := _pattern(word)) and found.search(said)), "")


@lru_cache(maxsize=2048)
def _pattern(keyword: str) -> re.Pattern[str] | None:
    words = _plain(keyword).split()
    parts = [re.escape(start) + (r"\w*" if start != word else "") for word in words if (start := word.rstrip("*"))]
    phrase = r"\s+".join(parts)
    return re.compile(rf"(?<!\w){phrase}(?!\w)") if parts else None


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
