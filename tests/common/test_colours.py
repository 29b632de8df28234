"""Text on a tenant's colour is readable, and what is suggested instead is near."""

from colorsys import hls_to_rgb, rgb_to_hls

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.common.colours import AA, NEAR_BLACK, WHITE, contrast, nearest_readable, readable_accent, text_on

colours = st.integers(0, 0xFFFFFF).map(lambda value: f"#{value:06x}")


def hls(colour: str) -> tuple[float, float, float]:
    return rgb_to_hls(*(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)))


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#ffffff", "#000000", 21),
        ("#777777", "#ffffff", 4.48),
        ("#767676", "#ffffff", 4.54),
        ("#f5a623", "#ffffff", 2.03),
    ],
)
def test_contrast_is_as_wcag_has_it(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == pytest.approx(ratio, abs=0.005)


@given(colours, colours)
def test_a_suggested_shade_always_reads(colour: str, text: str) -> None:
    assert contrast(nearest_readable(colour, text), text) >= AA


@given(colours, colours)
def test_what_reads_already_stays(colour: str, text: str) -> None:
    if contrast(colour, text) >= AA:
        assert nearest_readable(colour, text) == colour


@given(colours)
def test_a_suggested_shade_keeps_the_hue(colour: str) -> None:
    """Where there is room for a hue: eight bits per channel round it off in what is dark or grey."""
    shade = nearest_readable(colour, WHITE)
    (hue, _light, saturation), (kept, _dark, _saturation) = hls(colour), hls(shade)
    if saturation > 0.3 and 0.1 < hls(colour)[1] < 0.9:
        assert min(abs(hue - kept), 1 - abs(hue - kept)) < 0.02


@given(colours)
def test_no_nearer_shade_would_do(colour: str) -> None:
    """Half-way back to the colour the text does not read yet."""
    shade = nearest_readable(colour, WHITE)
    if shade != colour:
        lighter = hls(shade)[1] + 0.02
        assert lighter >= hls(colour)[1] or contrast(WHITE, _grey_like(colour, lighter)) < AA


def _grey_like(colour: str, lightness: float) -> str:
    hue, _lightness, saturation = hls(colour)
    return "#" + "".join(f"{round(share * 255):02x}" for share in hls_to_rgb(hue, lightness, saturation))


@given(colours)
def test_an_accent_can_always_be_given_readable_text(colour: str) -> None:
    accent = readable_accent(colour)
    assert contrast(accent, text_on(accent)) >= AA
    assert accent == colour or contrast(colour, text_on(colour)) < AA


def test_some_mid_tones_carry_neither_white_nor_near_black() -> None:
    grey = "#7b7b7b"
    assert max(contrast(grey, WHITE), contrast(grey, NEAR_BLACK)) < AA
    assert readable_accent(grey) == "#767676"
    assert readable_accent("#808080") == "#818181"
