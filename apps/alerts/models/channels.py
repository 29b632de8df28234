"""Where a team is told."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.fields import SealedField
from apps.integrations import signing
from apps.integrations.models.webhooks import validate_webhook_url


class Channel(models.Model):
    """A team's channel in a messenger, or a system that is told by a signed webhook."""

    class Kind(models.TextChoices):
        SLACK = "slack", _("messenger (Slack, Mattermost, Rocket.Chat …)")
        WEBHOOK = "webhook", _("signed webhook")

    class DisabledReason(models.TextChoices):
        GONE = "gone", _("the receiver says that there is no such channel (404 or 410)")
        FAILING = "failing", _("nothing was taken for about a day")

    name = models.CharField(_("name"), max_length=100, unique=True, help_text=_("For example “#customer-voice”."))
    kind = models.CharField(_("kind"), max_length=8, choices=Kind, default=Kind.SLACK)
    # Who knows a messenger's address may write there.
    url = SealedField(
        _("address"), purpose="alerts.channel.url", max_length=1000, validators=[validate_webhook_url],
        help_text=_("The address that your messenger shows for an incoming webhook."),
    )  # fmt: skip
    secret = SealedField(
        _("signing secret"), purpose="alerts.channel.secret", max_length=120, default=signing.new_secret, editable=False
    )
    language = models.CharField(_("language"), max_length=5, choices=settings.LANGUAGES, default=settings.LANGUAGE_CODE)
    is_active = models.BooleanField(_("active"), default=True)
    disabled_reason = models.CharField(
        _("switched off because"), max_length=10, choices=DisabledReason, blank=True, editable=False
    )
    # One message at a time, so that they arrive in order and a receiver that hangs holds up nobody else.
    lease_until = models.DateTimeField(null=True, editable=False)
    rests_until = models.DateTimeField(_("rests until"), null=True, editable=False)
    failures = models.PositiveSmallIntegerField(_("failures in a row"), default=0, editable=False)
    last_at = models.DateTimeField(_("last message"), null=True, editable=False)
    last_result = models.CharField(_("last result"), max_length=300, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("team channel")
        verbose_name_plural = _("team channels")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind="slack") | models.Q(kind="webhook"), name="alert_channel_kind_known"
            )
        ]

    def __str__(self) -> str:
        return self.name
