"""What somebody wrote in an answer, without the mails it quotes. Pure: no Django.

Line by line, each looked at a bounded number of times: a mail may be a megabyte of anything.
"""

import re
from collections.abc import Sequence

LONGEST = 500
"""Characters of a line that are looked at."""
WRAPPED = 4
"""A line that introduces a quotation may be broken into so many."""
_SEPARATOR = re.compile(
    r"\s*-{2,}\s*(original message|original appointment|forwarded message|ursprüngliche nachricht|originalnachricht"
    r"|original-nachricht|original nachricht|weitergeleitete nachricht|urspr\. nachricht)\s*-{2,}\s*$",
    re.IGNORECASE,
)
_RULE = re.compile(r"\s*[_\-=*]{10,}\s*$")
_HEADER = re.compile(
    r"[*\s]*(from|sent|date|to|cc|subject|reply-to|von|gesendet|datum|an|kopie|betreff|antwort an)\s*:[*\s]*",
    re.IGNORECASE,
)
_FIRST_HEADER = re.compile(r"[*\s]*(from|von)\s*:[*\s]*\S", re.IGNORECASE)
_BEGINS = re.compile(r"(on|am)\s.*\d|.{1,200}\s(schrieb|wrote)\b.*", re.IGNORECASE)
_INTRODUCES = re.compile(r"(?=.*\d).*\b(wrote|schrieb|geschrieben)\b.{0,300}$", re.IGNORECASE)
_SIGNATURE = re.compile(r"--\s?$")
_DEVICE = re.compile(
    r"(sent from (my|outlook|yahoo|mail|the)\b|get outlook for|gesendet (von|mit|über)\b|von meinem\b.*\bgesendet\b"
    r"|diese nachricht wurde von meinem\b|(meinem|my) (iphone|ipad|android))",
    re.IGNORECASE,
)


def fresh(text: str) -> str:
    """What was written anew; all of it where that cannot be told, or where answers stand between what they answer."""
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    found = _trimmed(_without_quotes(lines))
    return "\n".join(found) if found else "\n".join(lines).strip("\n")


def _without_quotes(lines: list[str]) -> list[str]:
    for number, line in enumerate(lines):
        seen = line[:LONGEST]
        if _SEPARATOR.match(seen) or (_FIRST_HEADER.match(seen) and _is_head(lines[number : number + 7])):
            end = number
            while end and (not lines[end - 1].strip() or _RULE.match(lines[end - 1][:LONGEST])):
                end -= 1
            return lines[:end] if any(one.strip() for one in lines[:end]) else lines
        if seen.startswith(">"):
            return _around(lines, number, number)
        length = _introduction(lines, number)
        if length:
            return _around(lines, number, number + length)
    return lines


def _is_head(lines: Sequence[str]) -> bool:
    """Whether these lines begin with the head of another mail, as Outlook quotes it."""
    return sum(1 for line in lines if _HEADER.match(line[:LONGEST])) >= 3


def _introduction(lines: Sequence[str], number: int) -> int:
    """How many lines from here on introduce a quotation (“Am … schrieb …:”); 0 if they do not."""
    if not _BEGINS.match(lines[number][:LONGEST].lstrip()):
        return 0
    said = ""
    for length, line in enumerate(lines[number : number + WRAPPED], start=1):
        if not line.strip() or line.startswith(">"):
            return 0
        said = f"{said} {line.strip()}"[-2 * LONGEST :]
        if not said.endswith(":") or not _INTRODUCES.search(said):
            continue
        after = next((one for one in lines[number + length : number + length + WRAPPED] if one.strip()), "")
        return length if after.startswith(">") or not after or ("@" in said) else 0
    return 0


def _around(lines: list[str], begin: int, quoted: int) -> list[str]:
    """What is left without a quotation that is introduced at ``begin`` and starts at ``quoted``."""
    before, rest = lines[:begin], lines[quoted:]
    has_marks = any(line.startswith(">") for line in rest)
    if not has_marks:
        return before if any(one.strip() for one in before) else lines
    last = max(number for number, line in enumerate(rest) if line.startswith(">"))
    after = _trimmed(rest[last + 1 :])
    if not after:
        return before
    inside = any(line.strip() and not line.startswith(">") for line in rest[:last])
    if any(one.strip() for one in before) or inside:
        return lines  # Answers between the lines say nothing without them.
    return after


def _trimmed(lines: list[str]) -> list[str]:
    """Without the signature, what a telephone adds, and empty lines around."""
    end = next((number for number, line in enumerate(lines) if _SIGNATURE.match(line)), len(lines))
    while end and (not lines[end - 1].strip() or _DEVICE.match(lines[end - 1][:LONGEST].strip())):
        end -= 1
    begin = next((number for number in range(end) if lines[number].strip()), end)
    return lines[begin:end]
