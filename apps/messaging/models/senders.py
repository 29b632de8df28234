"""Who a tenant's messages are from, and whether its domain lets us send in its name."""

import re

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

# Many mail programs show the name alone: an address in it would pass for the one that the mail is from.
_has_address = re.compile(r"[<>\u202a-\u202e\u2066-\u2069]|[^\s@\uff20\ufe6b][@\uff20\ufe6b][^\s@]*\.[^\s@]").search


class Sender(models.Model):
    """Who a tenant's mails are from. The default one is used unless something names another."""

    name = models.CharField(_("name"), max_length=120)
    email = models.EmailField(_("e-mail"), unique=True)
    reply_to = models.EmailField(_("reply to"), blank=True)
    relay = models.SlugField(
        _("sent through"), max_length=40, blank=True, help_text=_("Empty: the platform's usual mail service.")
    )
    is_default = models.BooleanField(_("default"), default=False)

    class Meta:
        verbose_name = _("sender")
        verbose_name_plural = _("senders")
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"],
                condition=models.Q(is_default=True),
                name="sender_one_default",
                violation_error_message=_("Another sender is the default already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"

    def clean(self) -> None:
        if _has_address(self.name):
            raise ValidationError({"name": _("The name must not hold an e-mail address or angle brackets.")})

    @property
    def domain(self) -> str:
        """The part after the @, in lower case."""
        return self.email.rpartition("@")[2].lower()


class SenderDomain(models.Model):
    """A domain that senders use, and what its DNS said when it was last looked at.

    Mails leave in its name only while it is verified; until then they are from the platform's own address.
    """

    domain = models.CharField(_("domain"), max_length=253, unique=True)
    verified_at = models.DateTimeField(_("verified"), null=True, editable=False)
    checked_at = models.DateTimeField(_("last checked"), null=True, editable=False)
    findings = models.JSONField(_("findings"), default=list, editable=False)

    class Meta:
        verbose_name = _("sender domain")
        verbose_name_plural = _("sender domains")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(domain=models.functions.Lower("domain")), name="sender_domain_lower_case"
            )
        ]

    def __str__(self) -> str:
        return self.domain
