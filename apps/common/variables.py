"""Fill variables into a tenant's text. A whitelist substitution, not a language. Pure: no Django.

``{{ name }}`` becomes the value, ``{{ name|there }}`` falls back to “there” when it is empty. Anything
else in the text, known template syntax included, stays as it was written.
"""

import re
from collections.abc import Mapping

VARIABLE = re.compile(r"\{\{ ?([a-z_][a-z0-9_.]{0,59}) ?(?:\|([^{}|\n]{0,80}))?\}\}")

_BRACES = re.compile(r"\{\{([^{}\n]{0,200})\}\}")


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with known variables replaced; unknown ones are left standing."""

    def replacement(match: re.Match[str]) -> str:
        name, fallback = match[1], match[2]
        if name not in values:
            return match[0]
        return values[name] or (fallback or "").strip()

    return VARIABLE.sub(replacement, text)


def unknown_variables(text: str, known: set[str]) -> list[str]:
    """What stands in double braces and would be left standing, in order of first use."""
    found = []
    for braces in _BRACES.finditer(text):
        variable = VARIABLE.fullmatch(braces[0])
        if variable is None or variable[1] not in known:
            found.append(variable[1] if variable else braces[1].strip())
    return list(dict.fromkeys(found))


def one_line(text: str) -> str:
    """Control characters (line breaks above all) become spaces: safe in a mail header."""
    return re.sub(r"[\x00-\x1f\x7f\u2028\u2029]+", " ", text).strip()
