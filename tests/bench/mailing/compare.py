"""Are two mails the same to whoever reads them?"""

from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

OWN = {"date", "message-id", "received"}


def differences(ours: bytes, theirs: bytes) -> list[str]:
    """What Python's email package reads differently: headers (but those that differ in any two mails) and parts."""
    one, other = _parse(ours), _parse(theirs)
    found = [f"{name}: {a!r} / {b!r}" for name, a, b in _pairs(_headers(one), _headers(other)) if a != b]
    parts = list(one.walk()), list(other.walk())
    if len(parts[0]) != len(parts[1]):
        return [*found, f"{len(parts[0])} / {len(parts[1])} parts"]
    for number, (a, b) in enumerate(zip(*parts, strict=True)):
        found += [f"part {number}: {x!r:.80} / {y!r:.80}" for x, y in zip(_part(a), _part(b), strict=True) if x != y]
    return found


def _parse(data: bytes) -> Any:
    message = message_from_bytes(data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects, message.defects
    return message


def _headers(message: Any) -> dict[str, str]:
    """Without the boundary, which is nobody's text."""
    found = {name.lower(): str(value) for name, value in message.items() if name.lower() not in OWN}
    return {name: value for name, value in found.items() if not name.startswith("x-") and name != "content-type"}


def _pairs(one: dict[str, str], other: dict[str, str]) -> list[tuple[str, Any, Any]]:
    return [(name, one.get(name), other.get(name)) for name in sorted({*one, *other})]


def _part(part: Any) -> tuple[Any, ...]:
    content = None if part.is_multipart() else part.get_content()
    return part.get_content_type(), part.get_content_charset(), part["content-transfer-encoding"], content
