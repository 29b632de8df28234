"""The mails that are sent: 18 KB of text and HTML, each with its contact's name and links."""

from typing import Any

from django.template.loader import get_template
from django.utils import translation

QUESTION = "Wie wahrscheinlich ist es, dass Sie Nordwind weiterempfehlen?"
SENTENCE = (
    "Ihre Bestellung ist angekommen, und wir wüßten gern, ob alles so war, wie Sie es erwartet haben: "
    "Lieferung, Verpackung, Qualität und der Weg dorthin. "
)
PARAGRAPHS = [f"{number}. {SENTENCE * 2}" for number in range(14)]
BASE_URL = "http://nordwind.bench.test"
LANGUAGE = "de"


def shared(link: str) -> dict[str, Any]:
    """What all of them say."""
    return {
        "question": QUESTION,
        "paragraphs": PARAGRAPHS,
        "link": link,
        "scores": [(score, f"{link}?score={score}") for score in range(11)],
    }


def letters(contacts: list[Any], run: str) -> list[Any]:
    """As our dispatch writes them."""
    from django.utils.safestring import mark_safe

    from apps.surveys.mails import Letter, place

    context = shared("")
    context["link"] = place("link")
    context["scores"] = [(score, mark_safe(f"{place('link')}?score={score}")) for score in range(11)]
    return [
        Letter(
            reason=f"bench:{run}:{contact.pk}", contact=contact, template="bench", subject=subject(contact),
            context=context, language=LANGUAGE, values={"link": link_of(contact)}, key="bench", stream="survey:1",
        )
        for contact in contacts
    ]  # fmt: skip


def subject(contact: Any) -> str:
    """Each one's own."""
    return f"{contact.name}, wie war's? Eine Frage für Sie"


def link_of(contact: Any) -> str:
    """A link of the usual length."""
    return f"{BASE_URL}/s/{contact.pk.hex}"


def stock_message(contact: Any, theme: Any, connection: Any = None, *, tidy: bool = False) -> Any:
    """As a Django project does it: render both templates, build the message.

    ``tidy``: without needless space between tags, as ours are, so that both can be compared byte by byte.
    """
    from django.core.mail import EmailMultiAlternatives

    from apps.messaging.identities import current
    from apps.messaging.links import unsubscribe_headers, unsubscribe_url
    from apps.messaging.mime import address
    from apps.surveys.mail_templates import base_context, wrapped

    leave = unsubscribe_url(contact.pk, BASE_URL)
    identity = _identity.setdefault("it", None) or current()
    _identity["it"] = identity
    with translation.override(LANGUAGE):
        context = {
            **base_context(theme, LANGUAGE), "name": contact.name,
            "greeting": translation.gettext("Hello %(name)s,") % {"name": contact.name},
            "subject": subject(contact), "unsubscribe_url": leave, **shared(link_of(contact)),
        }  # fmt: skip
        text = get_template("mail/bench.txt").render(context)
        html = get_template("mail/bench.html").render(context)
    if tidy:
        html = wrapped(html)
    message = EmailMultiAlternatives(
        subject(contact), text, identity.from_header, [address(contact.name, contact.email)],
        reply_to=[identity.reply_to] if identity.reply_to else None,
        headers=unsubscribe_headers(leave), connection=connection,
    )  # fmt: skip
    message.attach_alternative(html, "text/html")
    return message


_identity: dict[str, Any] = {}
