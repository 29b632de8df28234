"""Texts that a tenant writes once per language.

A text is stored as ``{"en": "…", "de": "…"}``; :func:`localized` picks one. Pure: no Django.
"""

from collections.abc import Mapping

FALLBACK = "en"
Texts = Mapping[str, str]


def base_language(locale: str) -> str:
    """``de-AT`` and ``de_AT`` → ``de``."""
    return hyphened(locale).partition("-")[0].lower()


def hyphened(locale: str) -> str:
    """``de_AT`` → ``de-AT``, as languages are stored: they are looked for by what stands before the hyphen."""
    return locale.replace("_", "-")


def localized(texts: Texts | None, locale: str) -> str:
    """The text for a locale: exact, then its language, then English, then any; "" if there is none."""
    if not texts:
        return ""
    for key in (locale, base_language(locale), FALLBACK):
        if texts.get(key):
            return texts[key]
    return next((value for value in texts.values() if value), "")
