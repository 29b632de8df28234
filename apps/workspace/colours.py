"""A tenant's accent colour, adjusted until text on it and in it can be read. Pure: no Django."""

import re
from dataclasses import dataclass

DEFAULT_ACCENT = "#0f766e"
LIGHT_SURFACE = (255, 255, 255)
DARK_SURFACE = (24, 25, 27)
READABLE = 4.5  # WCAG 2.2, 1.4.3

_HEX = re.compile(r"#[0-9a-fA-F]{6}")
Rgb = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Accent:
    """The accent for light and dark pages, each with the colour of text on top of it."""

    light: str
    on_light: str
    dark: str
    on_dark: str


def accent(colour: str) -> Accent:
    """Readable variants of a ``#rrggbb`` colour; of the default one if it is something else."""
    base = _parse(colour if _HEX.fullmatch(colour) else DEFAULT_ACCENT)
    light = _until_readable(base, LIGHT_SURFACE, towards=(0, 0, 0))
    dark = _until_readable(base, DARK_SURFACE, towards=(255, 255, 255))
    return Accent(_hex(light), _hex(_text_on(light)), _hex(dark), _hex(_text_on(dark)))


def contrast(one: Rgb, two: Rgb) -> float:
    """WCAG contrast ratio, 1 to 21."""
    brighter, darker = sorted((_luminance(one), _luminance(two)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def _until_readable(colour: Rgb, surface: Rgb, *, towards: Rgb) -> Rgb:
    for step in range(21):
        mixed = _mix(colour, towards, step / 20)
        if contrast(mixed, surface) >= READABLE:
            return mixed
    return towards


def _text_on(colour: Rgb) -> Rgb:
    white, black = (255, 255, 255), (17, 17, 19)
    return white if contrast(colour, white) >= contrast(colour, black) else black


def _mix(one: Rgb, two: Rgb, share: float) -> Rgb:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, two, strict=True))
    return red, green, blue


def _luminance(colour: Rgb) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (value / 255 for value in colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _parse(colour: str) -> Rgb:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _hex(colour: Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
