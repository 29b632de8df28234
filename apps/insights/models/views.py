"""Views that were given a name, and links that show them to whoever has no sign-in."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.common.ids import uuid7


class SavedView(models.Model):
    """A page with what it is narrowed down to, under a name and an address of its own."""

    has_own_pages = True

    class Page(models.TextChoices):
        DASHBOARD = "dashboard", _("dashboard")
        JOURNEY = "journey", _("journey map")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    page = models.CharField(_("page"), max_length=10, choices=Page, default=Page.DASHBOARD)
    name = models.CharField(_("name"), max_length=100)
    query = models.JSONField(_("filters"), default=dict, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("created"))
    updated_at = models.DateTimeField(_("changed"))

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="saved_view_has_a_name"),
            models.UniqueConstraint(
                fields=["page", "name"],
                name="saved_view_name_once",
                violation_error_message=_("There is a view of this name already. Take another name."),
            ),
            models.CheckConstraint(condition=Q(page="dashboard") | Q(page="journey"), name="saved_view_page_known"),
        ]

    def __str__(self) -> str:
        return self.name


class ShareLink(models.Model):
    """A signed address that shows a saved view to anybody who has it, until it ends or is revoked."""

    has_own_pages = True

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    view = models.ForeignKey(SavedView, models.CASCADE, related_name="links", verbose_name=_("view"))
    expires_at = models.DateTimeField(_("ends"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)
    last_used_on = models.DateField(_("last looked at"), null=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("share link")
        verbose_name_plural = _("share links")
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.view_id} {self.created_at:%Y-%m-%d}"
