"""A logo is taken only if every pixel of it could be read, and only its pixels are kept and shown."""

import io
import random
import struct
import zlib
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_tenants.utils import tenant_context
from PIL import Image, PngImagePlugin

from apps.common.db import connection
from apps.surveys import logos
from apps.surveys.models import Logo, Theme

HOST, OTHER_HOST = "nordwind.resonanz.test", "klarwerk.resonanz.test"


def picture(size: tuple[int, int] = (600, 200), mode: str = "RGB", name: str = "PNG", **options: Any) -> bytes:
    """A file of one colour with a bar."""
    image = Image.new(mode, size, 90 if mode in ("L", "P") else None)
    buffer = io.BytesIO()
    image.save(buffer, name, **options)
    return buffer.getvalue()


def noise(size: tuple[int, int]) -> bytes:
    """A file that nothing makes small."""
    data = random.Random(1).randbytes(size[0] * size[1] * 3)
    buffer = io.BytesIO()
    Image.frombytes("RGB", size, data).save(buffer, "JPEG", quality=70)
    return buffer.getvalue()


def png_that_says(width: int, height: int) -> bytes:
    """The beginning of a PNG that claims to be this large."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(bytes(1000))
    chunks = (struct.pack(">I", len(one) - 4) + one + struct.pack(">I", zlib.crc32(one)) for one in (head, data))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


MODES = {"PNG": ("RGB", "L", "RGBA", "P", "1", "LA"), "JPEG": ("RGB", "L", "CMYK", "1"), "WEBP": ("RGB", "L", "RGBA")}


@pytest.mark.parametrize(("name", "mode"), [(name, mode) for name, modes in MODES.items() for mode in modes])
def test_what_is_usual_is_taken_and_fitted(name: str, mode: str) -> None:
    kept = logos.read(picture((1200, 200), mode, name))
    assert (kept.width, kept.height) == (480, 80)
    assert kept.content_type in ("image/png", "image/webp")
    with Image.open(io.BytesIO(kept.data)) as again:
        assert f"image/{(again.format or '').lower()}" == kept.content_type
        assert again.size == (480, 80)
    assert len(kept.data) <= logos.MAX_KEPT
    assert len(kept.digest) == 32


def test_a_small_picture_is_not_made_larger_and_a_thin_one_does_not_vanish() -> None:
    assert (logos.read(picture((30, 20))).width, logos.read(picture((30, 20))).height) == (30, 20)
    assert (logos.read(picture((4000, 2))).width, logos.read(picture((4000, 2))).height) == (480, 1)
    assert logos.read(picture((200, 4000))).height == 160


def test_transparency_stays() -> None:
    with Image.open(io.BytesIO(logos.read(picture(mode="RGBA")).data)) as kept:
        assert kept.convert("RGBA").getpixel((0, 0))[3] == 0  # type: ignore[index]


def test_what_the_file_told_beside_the_picture_is_dropped() -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "SecretCamera", 6
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "SecretComment")
    for data in (
        picture((600, 200), name="JPEG", exif=exif, icc_profile=b"SecretProfile", comment=b"SecretComment"),
        picture((600, 200), name="WEBP", exif=exif, icc_profile=b"SecretProfile"),
        picture((600, 200), name="PNG", pnginfo=text, exif=exif),
        picture((600, 200), name="PNG") + b"SecretTail<script>",
    ):
        assert b"Secret" in data
        kept = logos.read(data)
        assert b"Secret" not in kept.data
        with Image.open(io.BytesIO(kept.data)) as again:
            assert not set(again.info) & {"exif", "icc_profile", "Comment", "xmp", "comment"}


def test_no_format_takes_along_what_the_file_told() -> None:
    """WebP is nearly always the smaller one; PNG would carry the profile on by itself."""
    small = logos._small(logos._pixels(picture(name="JPEG", icc_profile=b"SecretProfile")))
    for name in ("PNG", "WEBP"):
        with Image.open(io.BytesIO(logos._packed(small, name).data)) as again:
            assert "icc_profile" not in again.info


def test_a_picture_that_a_camera_turned_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    kept = logos.read(picture((300, 100), name="JPEG", exif=exif))
    assert (kept.width, kept.height) == (53, 160)


def test_much_detail_is_kept_small_enough_or_refused() -> None:
    kept = logos.read(noise((480, 160)))
    assert (kept.content_type, kept.width) == ("image/webp", 480)
    assert len(kept.data) <= logos.MAX_KEPT


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "no picture in PNG, JPEG or WebP"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "no picture in PNG, JPEG or WebP"),
        (picture(name="GIF", mode="P"), "no picture in PNG, JPEG or WebP"),
        (picture(name="BMP"), "no picture in PNG, JPEG or WebP"),
        (b"\x00" * (500 * 1024 + 1), "larger than 500 KB"),
        (picture((4001, 10)), "more than 4000 pixels"),
        (picture((10, 4001), name="JPEG"), "more than 4000 pixels"),
        (png_that_says(5000, 5000), "more than 4000 pixels"),
        (png_that_says(100_000, 100_000), "more than 4000 pixels"),
        (png_that_says(400, 400), "damaged or incomplete"),
        (noise((480, 160))[:-9000], "damaged or incomplete"),
        (picture((600, 200), name="WEBP", lossless=True)[:-20], "no picture in PNG|damaged or incomplete"),
        (picture()[:60] + b"\xff" * 30 + picture()[90:], "damaged or incomplete"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{len(value)}",
)
def test_what_is_no_whole_small_picture_is_refused(data: bytes, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        logos.read(data)


def test_any_cut_of_a_file_is_refused_and_none_breaks_the_page() -> None:
    for name in ("PNG", "JPEG", "WEBP"):
        whole = picture((64, 64), "RGB", name)
        for end in range(0, len(whole) - 12, 7):
            with pytest.raises(ValidationError):
                logos.read(whole[:end])


def test_broken_bytes_are_refused_or_read_but_never_break_the_page() -> None:
    dice = random.Random(3)
    for name in ("PNG", "JPEG", "WEBP"):
        whole = picture((64, 64), "RGB", name)
        for _ in range(150):
            data = bytearray(whole)
            for _ in range(4):
                data[dice.randrange(len(data))] = dice.randrange(256)
            try:
                logos.read(bytes(data))
            except ValidationError:
                continue


# --- its address ---


@pytest.fixture
def logo(tenant: Any) -> Logo:
    theme = Theme.objects.create(pk=1, brand_name="Nordwind")
    logos.keep(theme=theme, picture=logos.read(picture()))
    return Logo.objects.get()


def get(path: str, host: str = HOST) -> Any:
    return Client(headers={"host": host}).get(path)


def test_the_logo_is_sent_so_that_it_is_asked_for_once_and_can_do_nothing(logo: Logo) -> None:
    with CaptureQueriesContext(connection) as queries:
        answer = get(f"/brand/{logo.digest}")
    assert answer.status_code == 200
    assert answer.content == bytes(logo.data)
    assert answer.headers["Content-Type"] == logo.content_type
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'; sandbox"
    assert "Set-Cookie" not in answer.headers
    said = [query["sql"] for query in queries if "SET search_path" not in query["sql"]]
    assert len([sql for sql in said if "surveys_logo" in sql]) == 1
    assert not [sql for sql in said if "session" in sql]
    assert Client(headers={"host": HOST}).head(f"/brand/{logo.digest}").status_code == 200
    assert Client(headers={"host": HOST}).post(f"/brand/{logo.digest}").status_code == 405


@pytest.mark.parametrize("digest", ["0" * 32, "x", "A" * 32, "%00" * 32, "\u00e9" * 32, "0" * 5000])
def test_another_address_leads_nowhere(logo: Logo, digest: str) -> None:
    assert get(f"/brand/{digest}").status_code == 404


def test_another_tenant_does_not_show_it(logo: Logo, other_tenant: Any) -> None:
    assert get(f"/brand/{logo.digest}", OTHER_HOST).status_code == 404
    with tenant_context(other_tenant):
        logos.keep(theme=Theme.objects.create(pk=1, brand_name="K"), picture=logos.read(picture(mode="L")))
        theirs = Theme.objects.get().logo_digest
    assert get(f"/brand/{theirs}", OTHER_HOST).status_code == 200
    assert get(f"/brand/{theirs}").status_code == 404


def test_a_new_logo_has_a_new_address_and_a_removed_one_none(logo: Logo) -> None:
    theme = Theme.objects.get()
    assert theme.logo_digest == logo.digest
    logos.keep(theme=theme, picture=logos.read(picture((20, 20))))
    assert Theme.objects.get().logo_digest == Logo.objects.get().digest != logo.digest
    assert get(f"/brand/{logo.digest}").status_code == 404
    logos.remove(theme=theme)
    assert (Theme.objects.get().logo_digest, Logo.objects.count()) == ("", 0)
