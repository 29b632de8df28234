"""What each kind of step needs to know, and within which limits."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from apps.campaigns.sequence.steps import Kind
from apps.common.variables import unknown_variables

LANGUAGES = ("en", "de")
VARIABLES = frozenset(
    {
        "name", "first_name", "score", "comment", "touchpoint", "brand", "company", "external_id",
        "voucher", "voucher_value", "voucher_until", "call_back_url", "answer_url",
    }
)  # fmt: skip
"""What the words of a step may name. The voucher is the one that a step before it issued."""
VOUCHER_VARIABLES = frozenset({"voucher", "voucher_value", "voucher_until"})
TWO_YEARS = 730 * 86_400
MAX_TEXT = 10_000
Flaw = tuple[str, str, dict[str, Any]]


class SettingsError(Exception):
    """What is wrong with a step's settings: name, code, parameters."""

    def __init__(self, flaws: list[Flaw]) -> None:
        super().__init__(", ".join(f"{name}: {code}" for name, code, _params in flaws))
        self.flaws = flaws


class _Wrong(Exception):
    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code, self.params = code, params


Check = Callable[[Any], Any]


class _Setting(NamedTuple):
    check: Check
    is_needed: bool = False


def is_storable(text: str) -> bool:
    """Whether PostgreSQL can keep it: no NUL, and no half of a character that JSON can write."""
    return not any(c == "\x00" or "\ud800" <= c <= "\udfff" for c in text)


def _texts(longest: int, variables: frozenset[str] = frozenset()) -> Check:
    def check(value: Any) -> Any:
        if not isinstance(value, dict) or not set(value) <= set(LANGUAGES):
            raise _Wrong("bad_value")
        for text in value.values():
            if not isinstance(text, str) or len(text) > longest or not is_storable(text):
                raise _Wrong("bad_value")
            unknown = unknown_variables(text, set(variables))
            if unknown:
                raise _Wrong("unknown_variable", variable=unknown[0][:40])
        return {language: text for language, text in value.items() if text.strip()}

    return check


def _number(low: int, high: int) -> Check:
    def check(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int):
            raise _Wrong("bad_value")
        if not low <= value <= high:
            raise _Wrong("out_of_range", low=low, high=high)
        return value

    return check


def _line(longest: int) -> Check:
    def check(value: Any) -> Any:
        if not isinstance(value, str) or len(value) > longest or any(c < " " for c in value) or not is_storable(value):
            raise _Wrong("bad_value")
        return value.strip()

    return check


def _flag(value: Any) -> Any:
    if not isinstance(value, bool):
        raise _Wrong("bad_value")
    return value


def _one_of(*values: str) -> Check:
    def check(value: Any) -> Any:
        if value not in values:
            raise _Wrong("bad_value")
        return value

    return check


def _tags(value: Any) -> Any:
    if not isinstance(value, list) or len(value) > 20:
        raise _Wrong("bad_value")
    line = _line(60)
    return list(dict.fromkeys(tag for tag in map(line, value) if tag))


def _address(value: Any) -> Any:
    """http(s), variables allowed after the host: nobody's name decides where a link leads."""
    value = _line(1000)(value)
    if not value:
        return value
    if value in ("{{ call_back_url }}", "{{ answer_url }}"):
        return value
    unknown = unknown_variables(value, set(VARIABLES))
    if unknown:
        raise _Wrong("unknown_variable", variable=unknown[0][:40])
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and "{" not in parts.netloc
    except ValueError:
        usable = False
    if not usable:
        raise _Wrong("bad_value")
    return value


_KEY = _number(1, 2**53)
_LATE = {"too_late_after": _Setting(_number(3600, TWO_YEARS))}
_SETTINGS: Mapping[Kind, Mapping[str, _Setting]] = {
    Kind.EMAIL: {
        "template": _Setting(_KEY),
        "subject": _Setting(_texts(300, VARIABLES)),
        "body": _Setting(_texts(MAX_TEXT, VARIABLES)),
        "subject_no_comment": _Setting(_texts(300, VARIABLES)),
        "body_no_comment": _Setting(_texts(MAX_TEXT, VARIABLES)),
        "button": _Setting(_texts(80)),
        "button_url": _Setting(_address),
        "within_budget": _Setting(_flag),
        "also_while_case": _Setting(_flag),
        **_LATE,
    },
    Kind.WAIT: {
        "mode": _Setting(_one_of("time", "working_days", "morning")),
        "seconds": _Setting(_number(1, TWO_YEARS)),
        "days": _Setting(_number(1, 250)),
        "minute": _Setting(_number(0, 1439)),
    },
    Kind.CASE: {"is_urgent": _Setting(_flag)},
    Kind.VOUCHER: {"pool": _Setting(_KEY, is_needed=True)},
    Kind.TAG: {"add": _Setting(_tags), "remove": _Setting(_tags)},
    Kind.WEBHOOK: {"name": _Setting(_line(80), is_needed=True)},
    Kind.TASK: {
        "title": _Setting(_texts(200, VARIABLES), is_needed=True),
        "text": _Setting(_texts(2000, VARIABLES)),
        "due_days": _Setting(_number(0, 250)),
    },
    Kind.ASK: {"survey": _Setting(_KEY, is_needed=True), "also_while_case": _Setting(_flag), **_LATE},
    Kind.OPT_IN: {"body": _Setting(_texts(MAX_TEXT), is_needed=True), "also_while_case": _Setting(_flag), **_LATE},
    Kind.STOP: {},
}
_WAIT_NEEDS = {"time": "seconds", "working_days": "days", "morning": "minute"}


def clean(kind: Kind, raw: Mapping[Any, Any]) -> dict[str, Any]:
    """The settings of a step in normal form, without what is empty. Raises SettingsError."""
    known, flaws, found = _SETTINGS[kind], list[Flaw](), dict[str, Any]()
    for name, value in list(raw.items())[:40]:
        if name not in known:
            flaws.append((str(name)[:40], "unknown_setting", {"name": str(name)[:40]}))
            continue
        if value is None:
            continue
        try:
            kept = known[name].check(value)
        except _Wrong as wrong:
            flaws.append((name, wrong.code, {"name": name, **wrong.params}))
            continue
        if kept is not False and kept not in ("", {}, []):
            found[name] = kept
    wrong_names = {name for name, _code, _params in flaws}
    needed = [name for name, setting in known.items() if setting.is_needed]
    needed += _needs(kind, found)
    flaws += [(name, "missing", {"name": name}) for name in needed if name not in found and name not in wrong_names]
    if flaws:
        raise SettingsError(flaws)
    return {name: found[name] for name in known if name in found}


def _needs(kind: Kind, found: Mapping[str, Any]) -> list[str]:
    """What is needed because of something else that is set."""
    if kind == Kind.WAIT:
        return [_WAIT_NEEDS[found.get("mode", "time")]]
    if kind == Kind.TAG and not found.get("add") and not found.get("remove"):
        return ["add"]
    if kind == Kind.EMAIL and bool(found.get("button")) != bool(found.get("button_url")):
        return ["button_url" if found.get("button") else "button"]
    return []
