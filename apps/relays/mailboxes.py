"""Ways by which mails come in, and how far a mailbox has been read. What is in them is not kept here."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class PolledMailbox(models.Model):
    """How far a mailbox has been read, by its own numbers (UIDs), and how reading it went."""

    uid_validity = models.BigIntegerField(null=True, editable=False)
    last_uid = models.BigIntegerField(default=0, editable=False)
    next_check_at = models.DateTimeField(_("next look"), null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    checked_at = models.DateTimeField(_("last look"), null=True, editable=False)
    faults = models.PositiveIntegerField(_("faults in a row"), default=0, editable=False)
    last_error = models.CharField(_("last error"), max_length=500, blank=True, editable=False)
    taken = models.PositiveBigIntegerField(_("answers taken"), default=0, editable=False)
    nobodys = models.PositiveBigIntegerField(_("mails that belong to no case"), default=0, editable=False)

    class Meta:
        abstract = True


class PendingMessage(models.Model):
    """A message in a mailbox that something still has to be done about; it goes when that is done."""

    class State(models.TextChoices):
        TO_MARK = "to_mark", _("taken, to be marked as read")
        FAILING = "failing", _("is tried again")
        ASIDE = "aside", _("put aside")

    uid_validity = models.BigIntegerField()
    uid = models.BigIntegerField(_("number in the mailbox"))
    # Which mail it is, for whoever looks for it in the mailbox. No name and no word of it.
    message_id = models.CharField(_("Message-ID"), max_length=998, blank=True)
    state = models.CharField(_("state"), max_length=8, choices=State)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    error = models.CharField(_("error"), max_length=500, blank=True)
    at = models.DateTimeField(_("since"))

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.message_id or f"{self.uid}"


class IncomingWay(PolledMailbox):
    """The platform's own ways for incoming mails: the mailbox of INBOUND_MAILBOX, and services that bring mails."""

    key = models.CharField(_("way"), max_length=50, unique=True)

    class Meta:
        verbose_name = _("way for incoming mails")
        verbose_name_plural = _("ways for incoming mails")

    def __str__(self) -> str:
        return self.key


class IncomingMessage(PendingMessage):
    """A message in the platform's mailbox that something still has to be done about."""

    mailbox = models.ForeignKey(IncomingWay, models.CASCADE, related_name="messages", verbose_name=_("mailbox"))

    class Meta:
        verbose_name = _("incoming mail that was not taken")
        verbose_name_plural = _("incoming mails that were not taken")
        constraints = [models.UniqueConstraint(fields=["mailbox", "uid_validity", "uid"], name="incoming_message_once")]
