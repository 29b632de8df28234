"""Readable text on a tenant's colour. Pure: no Django."""

from colorsys import hls_to_rgb, rgb_to_hls

WHITE, NEAR_BLACK = "#ffffff", "#111827"
AA = 4.5
"""What WCAG 2.2 AA asks of text: “contrast (minimum)”."""
_STEPS = 512


def luminance(colour: str) -> float:
    """Relative luminance of ``#rrggbb``, 0 (black) to 1 (white): WCAG 2.2, “relative luminance”."""

    def channel(value: int) -> float:
        share = value / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = (channel(int(colour[i : i + 2], 16)) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21: WCAG 2.2, “contrast ratio”."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def text_on(colour: str) -> str:
    """White or near-black, whichever reads better on the colour."""
    return WHITE if contrast(WHITE, colour) >= contrast(NEAR_BLACK, colour) else NEAR_BLACK


def nearest_readable(colour: str, text: str) -> str:
    """The shade of the same hue nearest to ``colour`` on which ``text`` reads at AA; the colour itself if it does.

    There is always one: whatever the text, black or white stands off from it by more than 4.5 to 1.
    """
    if contrast(colour, text) >= AA:
        return colour
    hue, lightness, saturation = rgb_to_hls(*_shares(colour))
    for step in range(1, _STEPS + 1):
        for direction in (-1, 1):
            shade = _hex(hue, min(max(lightness + direction * step / _STEPS, 0.0), 1.0), saturation)
            if contrast(shade, text) >= AA:
                return shade
    raise AssertionError("Black and white cannot both be near a colour.")


def readable_accent(colour: str) -> str:
    """The nearest shade on which white or near-black reads at AA; some mid-tones carry neither."""
    if contrast(colour, text_on(colour)) >= AA:
        return colour
    return min(
        (nearest_readable(colour, text) for text in (WHITE, NEAR_BLACK)), key=lambda shade: _apart(shade, colour)
    )


def _shares(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def _hex(hue: float, lightness: float, saturation: float) -> str:
    return "#" + "".join(f"{round(share * 255):02x}" for share in hls_to_rgb(hue, lightness, saturation))


def _apart(one: str, other: str) -> float:
    return abs(rgb_to_hls(*_shares(one))[1] - rgb_to_hls(*_shares(other))[1])
