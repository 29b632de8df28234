"""How a tenant's pages and mails look."""

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

_colour = RegexValidator(r"^#[0-9a-fA-F]{6}\Z", _("Write a colour such as #0f766e."))


class Theme(models.Model):
    """How a tenant's pages and mails look. One row per tenant."""

    class Font(models.TextChoices):
        SANS = "sans", _("sans serif")
        SERIF = "serif", _("serif")
        ROUNDED = "rounded", _("rounded")
        MONO = "mono", _("monospaced")

    brand_name = models.CharField(_("brand name"), max_length=120)
    accent = models.CharField(_("accent colour"), max_length=7, default="#0f766e", validators=[_colour])
    on_accent = models.CharField(
        _("text on the accent colour"),
        max_length=7,
        blank=True,
        validators=[_colour],
        help_text=_("Empty: white or near-black, whichever reads better."),
    )
    font = models.CharField(
        _("font"),
        max_length=10,
        choices=Font,
        default=Font.SANS,
        help_text=_("Taken from the reader's own device: nothing is loaded, from nowhere."),
    )
    imprint_url = models.URLField(_("imprint"), blank=True)
    privacy_url = models.URLField(_("privacy notice"), blank=True)
    postal_address = models.CharField(_("postal address"), max_length=300, blank=True)
    logo_digest = models.CharField(max_length=32, blank=True, editable=False)

    class Meta:
        verbose_name = _("theme")
        verbose_name_plural = _("theme")
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="theme_single_row")]

    def __str__(self) -> str:
        return self.brand_name

    def clean(self) -> None:
        if self._state.adding and Theme.objects.exists():
            raise ValidationError(_("There is one theme; change it instead."))
        self.pk = 1


class Logo(models.Model):
    """The picture itself, apart from the theme so that pages don't read it along. ``digest`` names its address."""

    theme = models.OneToOneField(Theme, models.CASCADE, primary_key=True, related_name="logo")
    digest = models.CharField(max_length=32, unique=True)
    content_type = models.CharField(max_length=20)
    data = models.BinaryField()
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()

    def __str__(self) -> str:
        return self.digest
