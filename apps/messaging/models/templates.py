"""What a tenant writes: subject, preheader, HTML and text in each language."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.fields import TextsField


class MailTemplate(models.Model):
    """A tenant's own words for one purpose. Variables are a whitelist; nothing in it is ever executed."""

    class Purpose(models.TextChoices):
        INVITATION = "invitation", _("invitation")
        REMINDER = "reminder", _("reminder")
        FOLLOW_UP = "follow_up", _("follow-up")
        OPT_IN = "opt_in", _("confirmation of consent")

    class Layout(models.TextChoices):
        FRAMED = "framed", _("within the built-in frame")
        WHOLE = "whole", _("a whole page of your own")

    name = models.CharField(_("name"), max_length=120, unique=True)
    purpose = models.CharField(_("purpose"), max_length=12, choices=Purpose)
    layout = models.CharField(_("layout"), max_length=8, choices=Layout, default=Layout.FRAMED)
    subject = TextsField(_("subject"))
    preheader = TextsField(
        _("preheader"), blank=True, help_text=_("What mail programs show beside the subject. Empty: the first words.")
    )
    html = TextsField(
        _("HTML"), blank=True, multiline=True, is_long=True, help_text=_("Empty: the text, with its paragraphs.")
    )
    text = TextsField(_("text"), multiline=True)
    sms = TextsField(_("text message"), blank=True, multiline=True, help_text=_("Empty: the subject and the link."))
    is_default = models.BooleanField(
        _("default"), default=False, help_text=_("Used wherever nothing else is chosen for this purpose.")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("mail template")
        verbose_name_plural = _("mail templates")
        constraints = [
            models.UniqueConstraint(
                fields=["purpose"],
                condition=models.Q(is_default=True),
                name="mail_template_one_default",
                violation_error_message=_("Another template is the default for this purpose already."),
            )
        ]

    def __str__(self) -> str:
        return self.name
