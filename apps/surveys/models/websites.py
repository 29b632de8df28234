"""Where surveys may be embedded."""

import re

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

_is_origin = re.compile(
    r"https?://(\*\.)?[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*(:[0-9]{1,5})?"
).fullmatch


def check_origin(value: str) -> None:
    """Refuse what is no origin: scheme and host, perhaps a port, nothing behind. It goes into a header."""
    if not _is_origin(value):
        raise ValidationError(_("Write scheme and host only, such as https://www.example.com."))


class Website(models.Model):
    """A website whose pages may show our surveys in a frame and ask for them."""

    origin = models.CharField(
        _("origin"),
        max_length=200,
        unique=True,
        validators=[check_origin],
        help_text=_("For example https://www.example.com; https://*.example.com for all its subdomains."),
    )

    class Meta:
        verbose_name = _("website")
        verbose_name_plural = _("websites")
        ordering = ["origin"]

    def __str__(self) -> str:
        return self.origin

    def clean(self) -> None:
        super().clean()
        self.origin = self.origin.strip().lower().rstrip("/")
