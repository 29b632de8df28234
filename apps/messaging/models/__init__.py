"""The outbox: every message that leaves, who it is from, what became of it, and whom we must not write to."""

from apps.messaging.models.backlogs import Backlog
from apps.messaging.models.outbox import DeliveryEvent, MailFrame, OutgoingEmail
from apps.messaging.models.policy import DomainRest, MailPolicy, Pause
from apps.messaging.models.senders import Sender, SenderDomain
from apps.messaging.models.suppressions import Suppression
from apps.messaging.models.templates import MailTemplate

__all__ = [
    "Backlog",
    "DeliveryEvent",
    "DomainRest",
    "MailFrame",
    "MailPolicy",
    "MailTemplate",
    "OutgoingEmail",
    "Pause",
    "Sender",
    "SenderDomain",
    "Suppression",
]
