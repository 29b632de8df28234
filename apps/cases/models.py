"""Closing the loop with one contact."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.ids import uuid7
from apps.contacts.models import Contact
from apps.responses.models import Response


class Case(models.Model):
    """Somebody takes care of one contact's answer."""

    class Status(models.TextChoices):
        NEW = "new", _("new")
        CONTACTED = "contacted", _("contacted")
        SOLVED = "solved", _("solved")
        LOST = "lost", _("lost")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    response = models.OneToOneField(Response, models.CASCADE, related_name="case", verbose_name=_("response"))
    contact = models.ForeignKey(Contact, models.SET_NULL, null=True, related_name="cases", verbose_name=_("contact"))
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="cases", verbose_name=_("owner")
    )
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.NEW)
    outcome = models.TextField(_("outcome"), blank=True)
    opened_at = models.DateTimeField(_("opened"))
    due_at = models.DateTimeField(_("due"))
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)

    class Meta:
        verbose_name = _("case")
        verbose_name_plural = _("cases")
        indexes = [models.Index(fields=["status", "due_at"], name="case_open")]

    def __str__(self) -> str:
        return f"{self.contact} ({self.get_status_display()})"
