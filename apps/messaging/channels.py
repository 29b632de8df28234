"""By which channel a contact is written to, and at which address. Nothing else in the code knows of channels."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar
from uuid import UUID

from django.utils import translation
from django.utils.translation import gettext as _

from apps.contacts.models import Contact
from apps.messaging import suppressions, templating
from apps.messaging.models import MailPolicy, OutgoingEmail
from apps.messaging.sms.providers import can_be_answered
from apps.relays import services as relays

EMAIL, SMS = OutgoingEmail.Channel.EMAIL, OutgoingEmail.Channel.SMS
K = TypeVar("K", bound=Hashable)


class Way(NamedTuple):
    """A channel, and the address there."""

    channel: str
    address: str


class Person(NamedTuple):
    """The addresses somebody has; "" for none."""

    email: str
    phone: str


class Reach(NamedTuple):
    """Where contacts can be reached, and which of these addresses are blocked."""

    addresses: Mapping[UUID, str]
    blocked: frozenset[str]


def reachable(contacts: Iterable[Contact]) -> Reach:
    """At which address each contact is written to; those without one are missing.

    One query; a second one where somebody has a telephone number.
    """
    people = {row.id: Person(row.email or "", row.phone) for row in contacts}
    use = _use(people.values())
    blocked = _blocked(people.values(), use)
    found = {key: _best(person, use, blocked) for key, person in people.items()}
    return Reach({key: way.address for key, way in found.items() if way is not None}, blocked)


def ways(people: Mapping[K, Person]) -> dict[K, Way]:
    """How messages go; by mail where nothing else is possible. No query unless somebody has a number."""
    use = _use(people.values())
    blocked = frozenset[str]() if use == MailPolicy.SmsUse.NEVER else _blocked(people.values(), use)
    return {key: _best(person, use, blocked) or Way(EMAIL, person.email) for key, person in people.items()}


def _use(people: Iterable[Person]) -> str:
    """What the tenant says about text messages; not asked where nobody has a number."""
    if not any(person.phone for person in people):
        return MailPolicy.SmsUse.NEVER
    return MailPolicy.objects.values_list("sms_use", flat=True).first() or MailPolicy.SmsUse.NEVER


def _blocked(people: Iterable[Person], use: str) -> frozenset[str]:
    addresses = {way.address for person in people for way in _wanted(person, use)}
    return frozenset(suppressions.suppressed(emails=addresses))


def _best(person: Person, use: str, blocked: frozenset[str]) -> Way | None:
    """The first of the ways that the tenant wants; one that is blocked only if there is no other."""
    found = _wanted(person, use)
    return next((way for way in found if way.address not in blocked), found[0] if found else None)


def _wanted(person: Person, use: str) -> Sequence[Way]:
    mail = [Way(EMAIL, person.email)] if person.email else []
    text = [Way(SMS, person.phone)] if person.phone else []
    match use:
        case MailPolicy.SmsUse.PREFERRED:
            return text + mail
        case MailPolicy.SmsUse.WITHOUT_EMAIL:
            return mail or text
    return mail


def sender_of_texts() -> str:
    """Who text messages are from: a number, a service, a name; "" without a service."""
    return str(relays.route_of(relays.SMS).options.get("sender", ""))


def short_text(*, sms: str, text: str, has_link: bool, language: str) -> str:
    """The frame of a text message: what was written for it, else subject and link, else the mail's text.

    With the link that it is about, and a way out: an answer, or the page where the sender cannot be answered.
    """
    words = sms.strip() or ("{{ subject }}" if has_link else text.strip())
    if has_link and "link" not in templating.used(words):
        words += "\n{{ link }}"
    with translation.override(language):
        hint = (
            _("Reply STOP to opt out.") if can_be_answered(sender_of_texts()) else _("No more: {{ unsubscribe_url }}")
        )
    return f"{words}\n{hint}"
