"""What is to be told, one row per receiver and reason: the queue of this stage."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.alerts.models.channels import Channel
from apps.alerts.models.kinds import Kind
from apps.alerts.models.subscriptions import When
from apps.common.ids import uuid7
from apps.responses.models import Response


class Notice(models.Model):
    """Somebody (a user, or a team's channel) is to be told something.

    One about a response holds no words: they are read when it is sent, and only what may still be shown then.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("pending")
        SENT = "sent", _("sent")
        DROPPED = "dropped", _("dropped")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # The unique constraints' indexes serve the foreign keys as well.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, db_index=False, related_name="notices",
        verbose_name=_("user"),
    )  # fmt: skip
    channel = models.ForeignKey(
        Channel, models.CASCADE, null=True, db_index=False, related_name="notices", verbose_name=_("team channel")
    )
    kind = models.CharField(_("about"), max_length=20, choices=Kind)
    reason = models.CharField(_("reason"), max_length=200)
    # Nothing is told of what was erased: the notice goes with it, and its words.
    response = models.ForeignKey(Response, models.CASCADE, null=True, related_name="+", verbose_name=_("response"))
    values = models.JSONField(_("values"), default=dict)
    path = models.CharField(_("page"), max_length=300)
    when = models.CharField(_("when"), max_length=7, choices=When, default=When.INSTANT)
    # Notices that go out together have the same; it is also how a receiver tells a repetition.
    message = models.UUIDField(null=True, editable=False)
    in_digest = models.BooleanField(_("in a summary"), default=False)
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.PENDING)
    due_at = models.DateTimeField(_("due"))
    lease_until = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(_("tries"), default=0)
    last_error = models.CharField(_("what went wrong"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("created"))
    sent_at = models.DateTimeField(_("sent"), null=True)

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(user__isnull=False, channel__isnull=True)
                | models.Q(user__isnull=True, channel__isnull=False),
                name="notice_has_one_receiver",
            ),
            models.UniqueConstraint(fields=["user", "reason"], name="notice_once_per_user"),
            models.UniqueConstraint(fields=["channel", "reason"], name="notice_once_per_channel"),
        ]
        indexes = [
            models.Index(fields=["due_at"], name="notice_due", condition=models.Q(status="pending")),
            models.Index(fields=["user", "-created_at", "-id"], name="notice_by_user"),
            models.Index(fields=["channel", "-created_at", "-id"], name="notice_by_channel"),
            models.Index(fields=["-created_at", "-id"], name="notice_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.get_status_display()}"
