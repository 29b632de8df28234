"""A tenant's logo: what may be uploaded, and what is made of it before it is kept.

Uploads come from people with rights, but browsers of strangers show what they sent: only pictures whose every pixel
could be read are taken, and only those pixels are kept.
"""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from apps.surveys.models import Logo, Theme

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_UPLOAD = 500 * 1024
MAX_SIDE = 4000
BOX = (480, 160)
MAX_KEPT = 60 * 1024
_QUALITIES = (90, 80, 65, 50, 35, 20)
_UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, AttributeError)


@dataclass(frozen=True, slots=True)
class Picture:
    """A logo as it is kept and sent."""

    content_type: str
    data: bytes
    width: int
    height: int

    @property
    def digest(self) -> str:
        """What its address is called: another picture, another address."""
        return hashlib.sha256(self.data).hexdigest()[:32]


def read(data: bytes) -> Picture:
    """Make an upload a logo, or say in a ValidationError what is wrong with it."""
    if len(data) > MAX_UPLOAD:
        raise ValidationError(_("The picture is larger than %(limit)s KB.") % {"limit": MAX_UPLOAD // 1024})
    return _encode(_small(_pixels(data)))


def _pixels(data: bytes) -> Image.Image:
    """The picture, read to its last pixel; its size is looked at before anything is unpacked."""
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
        if max(picture.size) > MAX_SIDE:
            raise _too_large()
        picture.verify()
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
        picture.load()
    except Image.DecompressionBombError as error:
        raise _too_large() from error
    except Image.UnidentifiedImageError as error:
        raise ValidationError(_("This is no picture in PNG, JPEG or WebP.")) from error
    except _UNREADABLE as error:
        raise ValidationError(_("The picture is damaged or incomplete. Export it once more.")) from error
    return picture


def _too_large() -> ValidationError:
    limit = {"limit": MAX_SIDE}
    return ValidationError(_("The picture has more than %(limit)s pixels on a side. Make it smaller.") % limit)


def _small(picture: Image.Image) -> Image.Image:
    """Upright, fitted into the box, without whatever else the file carried: place, camera, profile, comments."""
    upright = ImageOps.exif_transpose(picture)
    small = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    small.thumbnail(BOX, Image.Resampling.LANCZOS)
    small.info = {}
    return small


def _encode(picture: Image.Image) -> Picture:
    """PNG or WebP without loss, whichever is smaller; only what is too large then loses detail."""
    lossless = min(_packed(picture, "PNG", optimize=True), _packed(picture, "WEBP", lossless=True), key=_size)
    for kept in (lossless, *_lossy(picture)) if _size(lossless) > MAX_KEPT else (lossless,):
        if _size(kept) <= MAX_KEPT:
            return kept
    raise ValidationError(_("The picture has too much detail for a logo. Choose a plainer one."))


def _lossy(picture: Image.Image) -> Iterator[Picture]:
    return (_packed(picture, "WEBP", quality=quality, method=6) for quality in _QUALITIES)


def _packed(picture: Image.Image, name: str, **options: object) -> Picture:
    buffer = io.BytesIO()
    picture.save(buffer, name, **options)
    return Picture(f"image/{name.lower()}", buffer.getvalue(), picture.width, picture.height)


def _size(picture: Picture) -> int:
    return len(picture.data)


@transaction.atomic
def keep(*, theme: Theme, picture: Picture) -> None:
    """Make the picture the tenant's logo."""
    Logo.objects.update_or_create(
        theme=theme,
        defaults={
            "digest": picture.digest,
            "content_type": picture.content_type,
            "data": picture.data,
            "width": picture.width,
            "height": picture.height,
        },
    )
    _name(theme, picture.digest)


@transaction.atomic
def remove(*, theme: Theme) -> None:
    """The brand's name alone again."""
    Logo.objects.filter(theme=theme).delete()
    _name(theme, "")


def _name(theme: Theme, digest: str) -> None:
    theme.logo_digest = digest
    Theme.objects.filter(pk=theme.pk).update(logo_digest=digest)
