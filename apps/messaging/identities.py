"""Who a message is from: the tenant's sender where its domain lets us, else the platform in the tenant's name."""

import re
from dataclasses import dataclass
from email.utils import parseaddr

from django.conf import settings

from apps.messaging.mime import address
from apps.messaging.models import Sender, SenderDomain

# Many mail programs show the name alone: what reads like an address would pass for the one that the mail is from.
_NO_NAME = re.compile(r"[<>@\uff20\ufe6b\u202a-\u202e\u2066-\u2069]+")


@dataclass(frozen=True, slots=True)
class Identity:
    """What goes into a message's head, and by which mail service it leaves."""

    from_header: str
    reply_to: str
    domain: str
    relay: str = ""
    own_email: str = ""
    """The sender's own address; "" where mails leave from the platform's."""

    def signed_by(self, name: str) -> str:
        """The sender with this name instead of its own; unchanged where mails leave from the platform's address."""
        name = " ".join(_NO_NAME.sub(" ", name).split())
        return address(name, self.own_email) if name and self.own_email else self.from_header


def platform_sender() -> Sender:
    """The platform's own sender, unsaved."""
    name, email = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return Sender(name=name, email=email)


def default_sender() -> Sender:
    """The tenant's default sender; an unsaved one from the platform's address if there is none."""
    return Sender.objects.order_by("-is_default", "pk").first() or platform_sender()


def current() -> Identity:
    """What new messages are from. At most two queries.

    A domain whose DNS does not name us would have its mails refused or taken for forgeries: they leave from the
    platform's address under the sender's name, and answers go to the sender.
    """
    return of(default_sender())


def of(sender: Sender) -> Identity:
    """What messages of this sender are from. One query unless it is the platform's."""
    platform = platform_sender()
    own = sender.pk is not None and _is_verified(sender.domain)
    email = sender.email if own or sender.pk is None else platform.email
    from_header = address(sender.name, email)
    return Identity(
        from_header=from_header,
        reply_to=sender.reply_to or ("" if email == sender.email else sender.email),
        domain=address("", email).rpartition("@")[2],
        relay=sender.relay,
        own_email=sender.email if own else "",
    )


def _is_verified(domain: str) -> bool:
    return SenderDomain.objects.filter(domain=domain, verified_at__isnull=False).exists()
