"""Properties as integrations send them, and those among them that have a meaning."""

import re
from collections.abc import Mapping
from typing import Any

# Without case, spaces and underscores → as it is kept, so that mail templates can name it.
SPECIAL = {
    "questionproductname": "question_product_name",
    "delightedemailsubject": "delighted_email_subject",
    "delightedintromessage": "delighted_intro_message",
    "locale": "locale",
    "thankyoumessage": "thank_you_message",
    "thankyoulinktext": "thank_you_link_text",
    "thankyoulinkurl": "thank_you_link_url",
}
_is_locale = re.compile(r"[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8}){0,2}").fullmatch


def canonical(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties with the special ones under their one name; the others as they were sent."""
    return {SPECIAL.get(_plain(name), name): value for name, value in properties.items()}


def locale_of(properties: Mapping[str, Any]) -> str:
    """The language to write in, from :func:`canonical` properties; "" if there is none that we know the form of."""
    value = properties.get("locale")
    return value if isinstance(value, str) and len(value) <= 20 and _is_locale(value) else ""


def _plain(name: str) -> str:
    return name.lower().replace(" ", "").replace("_", "")
