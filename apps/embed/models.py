"""Where on a tenant's website surveys may show themselves, and the secrets with which pages name contacts."""

import secrets as random

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common import sealed
from apps.common.fields import SealedField
from apps.embed.rules import is_pattern
from apps.touchpoints.models import Touchpoint

MAX_SECRETS = 2


def new_secret() -> str:
    """A secret of 256 bits; its beginning says what it is."""
    return f"rs_{random.token_urlsafe(32)}"


def check_pattern(value: str) -> None:
    """Refuse what names no page."""
    if not is_pattern(value):
        raise ValidationError(
            _("“%(value)s”: write /path/* or https://www.example.com/path/*."), params={"value": value}
        )


def check_selector(value: str) -> None:
    """Only what a style sheet would take; the script passes it to the browser."""
    if any(char in value for char in "<{};\\\n"):
        raise ValidationError(_("Write a CSS selector such as #feedback."))


class Placement(models.Model):
    """One way for a survey to show itself on pages of the tenant's website."""

    class Kind(models.TextChoices):
        POPOVER = "popover", _("popover in a lower corner")
        SLIDE_IN = "slide_in", _("slides in from the side")
        INLINE = "inline", _("inside the page")

    class Device(models.TextChoices):
        ANY = "any", _("any")
        PHONE = "phone", _("phones only")
        DESKTOP = "desktop", _("larger screens only")

    class Side(models.TextChoices):
        RIGHT = "right", _("right")
        LEFT = "left", _("left")

    class Place(models.TextChoices):
        BEFORE = "beforebegin", _("before the element")
        START = "afterbegin", _("inside, at its start")
        END = "beforeend", _("inside, at its end")
        AFTER = "afterend", _("after the element")

    name = models.CharField(_("name"), max_length=120, unique=True)
    touchpoint = models.ForeignKey(
        Touchpoint,
        models.CASCADE,
        related_name="placements",
        verbose_name=_("touchpoint"),
        help_text=_("The trigger rules of this touchpoint decide whether anything is asked, and which survey."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    kind = models.CharField(_("shown as"), max_length=10, choices=Kind, default=Kind.POPOVER)
    side = models.CharField(_("side"), max_length=5, choices=Side, default=Side.RIGHT)
    selector = models.CharField(
        _("element"),
        max_length=200,
        blank=True,
        validators=[check_selector],
        help_text=_("CSS selector of the element of your page, such as #feedback. Without it nothing is shown."),
    )
    place = models.CharField(_("place"), max_length=12, choices=Place, default=Place.END)
    url_patterns = ArrayField(
        models.CharField(max_length=300, validators=[check_pattern]),
        verbose_name=_("pages"),
        default=list,
        blank=True,
        size=20,
        help_text=_(
            "One per line, such as /products/* or https://www.example.com/help/*. * stands for anything. What follows "
            "a ? counts only if you write one. Empty: every page with the script."
        ),
    )
    delay = models.PositiveSmallIntegerField(
        _("after seconds"),
        default=10,
        validators=[MaxValueValidator(3600)],
        help_text=_("Earliest so many seconds after the page was opened, or track() was called."),
    )
    scroll = models.PositiveSmallIntegerField(
        _("after scrolling, percent"),
        default=0,
        validators=[MaxValueValidator(100)],
        help_text=_("When so much of the page has been seen. 0: without scrolling."),
    )
    on_exit = models.BooleanField(
        _("when about to leave"),
        default=False,
        help_text=_(
            "When the mouse leaves the page at the top; phones have none. With scrolling as well: whichever is first."
        ),
    )
    on_track = models.BooleanField(
        _("only when your page says so"),
        default=False,
        help_text=_("Never by itself: only when your page calls track() or show() with the touchpoint's key."),
    )
    percent = models.PositiveSmallIntegerField(
        _("share of visitors, percent"),
        default=100,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text=_("With the visitor's consent always the same visitors, otherwise drawn anew with each page."),
    )
    device = models.CharField(
        _("devices"), max_length=7, choices=Device, default=Device.ANY, help_text=_("Phones: narrower than 640 pixels.")
    )
    languages = ArrayField(
        models.CharField(max_length=10, choices=settings.LANGUAGES),
        verbose_name=_("languages of the page"),
        default=list,
        blank=True,
        help_text=_("Nothing chosen means every language."),
    )
    rest_days = models.PositiveSmallIntegerField(
        _("days of rest"),
        default=30,
        validators=[MaxValueValidator(730)],
        help_text=_(
            "After it was closed or answered it does not show itself in this browser for so many days. Remembered only "
            "with the visitor's consent; the contact budget holds besides."
        ),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("placement")
        verbose_name_plural = _("placements")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=models.Q(percent__gte=1, percent__lte=100), name="placement_percent"),
            models.CheckConstraint(condition=models.Q(scroll__lte=100), name="placement_scroll"),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        if self.kind == self.Kind.INLINE and not self.selector.strip():
            raise ValidationError({"selector": _("Inside the page it needs an element.")})


class EmbedSecret(models.Model):
    """Signs who is looking at a page. Two may be valid at once, so that one can follow the other without a gap."""

    # Readable, not hashed: signatures are checked with it.
    secret = SealedField(purpose="embed.embedsecret.secret", default=new_secret, editable=False)
    hint = models.CharField(_("ends in"), max_length=8, editable=False)
    note = models.CharField(
        _("note"), max_length=120, blank=True, help_text=_("Where it is used, for example: shop, since the new year.")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("identity secret")
        verbose_name_plural = _("identity secrets")
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"…{self.hint}"

    def clean(self) -> None:
        super().clean()
        if self._state.adding and EmbedSecret.objects.count() >= MAX_SECRETS:
            raise ValidationError(_("Two are valid already. Delete the one that no page uses any more first."))

    def save(self, *args: object, **kwargs: object) -> None:
        if not sealed.problem(self.secret):
            self.hint = self.secret[-4:]
        super().save(*args, **kwargs)  # type: ignore[arg-type]
