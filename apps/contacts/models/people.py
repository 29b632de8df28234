"""Contacts, the companies they belong to, and where they are."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from apps.common.ids import uuid7
from apps.common.schedule import valid_region, valid_zone
from apps.common.texts import hyphened


class Bucket(models.Func):
    """0 … 65,535 from the last two bytes of a UUID, which are random in a version 7 UUID."""

    template = "(get_byte(uuid_send(%(expressions)s), 14) * 256 + get_byte(uuid_send(%(expressions)s), 15))"
    output_field = models.IntegerField()


def check_zone(value: str) -> None:
    """Refuse what is no time zone."""
    if not valid_zone(value):
        raise ValidationError(_("“%(value)s” is no time zone such as Europe/Berlin."), params={"value": value})


class Place(models.Model):
    """Where somebody is: the clock and the public holidays to keep to. Empty: the next wider one's."""

    time_zone = models.CharField(
        _("time zone"), max_length=60, blank=True, validators=[check_zone], help_text=_("For example Europe/Berlin.")
    )
    country = models.CharField(
        _("country"), max_length=2, blank=True, help_text=_("Two letters, for example DE: for its public holidays.")
    )
    region = models.CharField(_("region"), max_length=60, blank=True, help_text=_("For example BY for Bavaria."))

    class Meta:
        abstract = True

    def clean(self) -> None:
        super().clean()
        self.country, self.region = self.country.strip().upper(), self.region.strip().upper()
        if self.region and self.country and not valid_region(self.country, self.region):
            raise ValidationError({"region": _("This country has no such region.")})
        if self.country and not valid_region(self.country, ""):
            raise ValidationError({"country": _("The public holidays of this country are not known.")})


class BusinessCalendar(Place):
    """The tenant's own clock and holidays. One row per tenant."""

    class Meta:
        verbose_name = _("calendar")
        verbose_name_plural = _("calendar")
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="business_calendar_single_row")]

    def __str__(self) -> str:
        return str(_("Calendar"))

    def clean(self) -> None:
        super().clean()
        if self._state.adding and BusinessCalendar.objects.exists():
            raise ValidationError(_("There is one calendar; change it instead."))
        self.pk = 1


class Company(Place):
    """The organisation a contact belongs to (B2B)."""

    name = models.CharField(_("name"), max_length=200)
    external_id = models.CharField(_("external id"), max_length=200, unique=True, null=True, blank=True)
    properties = models.JSONField(_("properties"), default=dict, blank=True)

    class Meta:
        verbose_name = _("company")
        verbose_name_plural = _("companies")

    def __str__(self) -> str:
        return self.name


class Contact(Place):
    """A person who may be asked. Known by external id, e-mail address, or both."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    external_id = models.CharField(_("external id"), max_length=200, unique=True, null=True, blank=True)
    email = models.EmailField(_("e-mail"), unique=True, null=True, blank=True)
    phone = models.CharField(
        _("telephone"),
        max_length=16,
        blank=True,
        default="",
        db_default="",
        help_text=_("For text messages, for example +49 170 1234567."),
    )
    name = models.CharField(_("name"), max_length=200, blank=True)
    locale = models.CharField(_("locale"), max_length=20, blank=True)
    properties = models.JSONField(_("properties"), default=dict, blank=True)
    company = models.ForeignKey(
        Company, models.SET_NULL, null=True, blank=True, related_name="contacts", verbose_name=_("company")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(external_id__isnull=False) | models.Q(email__isnull=False),
                name="contact_has_an_identity",
                violation_error_message=_("Give an external id or an e-mail address."),
            ),
            models.CheckConstraint(
                condition=models.Q(email__isnull=True) | models.Q(email=Lower("email")),
                name="contact_email_lower_case",
            ),
            models.CheckConstraint(
                condition=models.Q(phone="") | models.Q(phone__regex=r"^\+[1-9][0-9]{6,14}$"),
                name="contact_phone_international",
                violation_error_message=_("Write the number with its country, for example +49 170 1234567."),
            ),
        ]
        indexes = [
            # The id's last two bytes are random: by them a cadence spreads contacts over its period.
            models.Index(Bucket("id"), name="contact_bucket"),
            # Some integrations know people by their number alone.
            models.Index(fields=["phone"], name="contact_by_phone", condition=~models.Q(phone="")),
        ]

    def __str__(self) -> str:
        return self.name or self.email or self.external_id or str(self.id)

    def clean(self) -> None:
        super().clean()
        self.email = self.email.strip().lower() or None if self.email else None
        self.external_id = self.external_id or None
        self.locale = hyphened(self.locale)
