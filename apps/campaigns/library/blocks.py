"""What ready-made campaigns are built from. Pure: no Django."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Texts = Mapping[str, str]
Step = dict[str, Any]
MINUTE, HOUR, DAY = 60, 3_600, 86_400
HELLO = {"en": "Hello {{ first_name|there }},", "de": "Hallo {{ first_name|und guten Tag }},"}
REGARDS = {"en": "Kind regards\n{{ brand }}", "de": "Herzliche Grüße\n{{ brand }}"}


@dataclass(frozen=True, slots=True)
class Choices:
    """What the user fills in; a template needs some of it, may use some more, and knows nothing of the rest."""

    review_url: str = ""
    referral_url: str = ""
    pool: int | None = None
    survey: int | None = None
    touchpoint: int | None = None
    goal_touchpoint: int | None = None
    themes: tuple[str, ...] = ()
    said: Texts = field(default_factory=dict)
    did: Texts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """A campaign to begin with: values of the model's fields by name, and the steps of its draft."""

    settings: Mapping[str, Any]
    steps: list[Step]


@dataclass(frozen=True, slots=True)
class Entry:
    """A ready-made campaign. ``needs`` and ``uses`` name choices: those it cannot do without, and the others."""

    key: str
    name: Texts
    when: Texts
    about: Texts
    plan: Callable[[Choices], Plan]
    needs: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()


def both(en: str, de: str) -> dict[str, str]:
    """A text in both languages."""
    return {"en": en, "de": de}


def letter(*parts: Texts) -> dict[str, str]:
    """A mail's text: greeting, paragraphs, regards. A language that one of the parts does not have is left out."""
    whole = (HELLO, *parts, REGARDS)
    return {code: "\n\n".join(part[code] for part in whole) for code in HELLO if all(part.get(code) for part in whole)}


def mail(key: str, subject: Texts, body: Texts, **more: Any) -> Step:
    """A mail. ``more``: other words where there is no comment, a button with its address, whether it may wait."""
    return {"key": key, "kind": "email", "subject": dict(subject), "body": dict(body), **more}


def wait(key: str, seconds: int) -> Step:
    """A while."""
    return {"key": key, "kind": "wait", "seconds": seconds}


def branch(key: str, condition: Mapping[str, Any], yes: list[Step], no: list[Step] | None = None) -> Step:
    """Two ways that come together again."""
    return {"key": key, "kind": "branch", "condition": dict(condition), "yes": yes, "no": no or []}


def holds(name: str, *, is_so: bool = True) -> dict[str, Any]:
    """Condition: what can be yes or no is yes, or is no."""
    return {"field": name, "op": "eq", "value": is_so}


def with_query(address: str, query: str) -> str:
    """The address with one more part of its query, before what leads to a place within the page."""
    whole, hash_mark, place = address.partition("#")
    return f"{whole}{'&' if '?' in whole else '?'}{query}{hash_mark}{place}"
