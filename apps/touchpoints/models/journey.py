"""The journey: stages, the touchpoints on them, and the events that happen there."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.common.fields import TextsField
from apps.common.ids import uuid7
from apps.common.texts import FALLBACK, localized
from apps.contacts.models import Contact, LegalBasis


class Stage(models.Model):
    """A phase of the customer journey, or a sub-step of one.

    Positions count through the whole map, sub-steps after their stage: ordered by it everything stands as on the map.
    """

    key = models.SlugField(_("key"), max_length=60, unique=True)
    name = TextsField(_("name"))
    parent = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        limit_choices_to={"parent": None},
        related_name="steps",
        verbose_name=_("sub-step of"),
        help_text=_("Empty: a stage of its own. A sub-step has no sub-steps."),
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("stage")
        verbose_name_plural = _("stages")
        ordering = ["position", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(parent__isnull=True) | ~models.Q(parent=models.F("pk")), name="stage_not_in_itself"
            )
        ]

    def __str__(self) -> str:
        return localized(self.name, get_language() or FALLBACK) or self.key

    def clean(self) -> None:
        super().clean()
        if self.parent is None:
            return
        if self.parent_id == self.pk or self.parent.parent_id is not None:
            raise ValidationError({"parent": _("A sub-step belongs to a stage, not to another sub-step.")})
        if self.pk and self.steps.exists():
            raise ValidationError({"parent": _("This stage has sub-steps itself. Move them first.")})


class Touchpoint(models.Model):
    """A place on the journey where a contact meets the tenant."""

    key = models.SlugField(_("key"), max_length=60, unique=True, help_text=_("What the API calls it."))
    name = TextsField(_("name"))
    stage = models.ForeignKey(Stage, models.PROTECT, related_name="touchpoints", verbose_name=_("stage"))
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    legal_basis = models.CharField(
        _("legal basis"),
        max_length=20,
        choices=LegalBasis.Kind,
        blank=True,
        help_text=_(
            "What an event here proves: for example, that the contact bought something and was told, when giving the "
            "address, about satisfaction surveys and the right to object. Empty: nothing; such contacts are not mailed."
        ),
    )
    exception_days = models.PositiveSmallIntegerField(
        _("days between, here"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(365)],
        help_text=_(
            "Exception from the contact budget: whoever meets us here may be approached this many days after the last "
            "approach already (0: at once). Empty: the contact budget's days."
        ),
    )
    beyond_caps = models.BooleanField(
        _("beyond the limits"),
        default=False,
        help_text=_("Exception from the contact budget: its maximum numbers do not hold back what is asked here."),
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("touchpoint")
        verbose_name_plural = _("touchpoints")
        ordering = ["stage__position", "position", "pk"]

    def __str__(self) -> str:
        return localized(self.name, get_language() or FALLBACK) or self.key


class Event(models.Model):
    """One occurrence of a touchpoint for one contact, as it was told to us."""

    class Status(models.TextChoices):
        PENDING = "pending", _("pending")
        DECIDED = "decided", _("decided")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    touchpoint = models.ForeignKey(Touchpoint, models.PROTECT, related_name="events", verbose_name=_("touchpoint"))
    source = models.CharField(_("source"), max_length=60, default="api")
    external_id = models.CharField(_("external id"), max_length=200, null=True)
    occurred_at = models.DateTimeField(_("occurred"))
    received_at = models.DateTimeField(_("received"))
    contact_data = models.JSONField(_("contact as sent"), default=dict)
    properties = models.JSONField(_("properties"), default=dict)
    contact = models.ForeignKey(
        Contact, models.SET_NULL, null=True, db_index=False, related_name="events", verbose_name=_("contact")
    )
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.PENDING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    error = models.CharField(_("error"), max_length=500, blank=True, default="")

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [models.UniqueConstraint(fields=["source", "external_id"], name="event_once_per_source")]
        indexes = [
            models.Index(fields=["received_at"], name="event_pending", condition=models.Q(status="pending")),
            models.Index(fields=["contact", "-occurred_at"], name="event_by_contact"),
            models.Index(fields=["-occurred_at"], name="event_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.touchpoint_id} {self.occurred_at:%Y-%m-%d %H:%M}"
