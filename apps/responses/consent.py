"""Who agrees to e-mail in a survey is asked once by mail whether it was really them."""

from datetime import datetime

from apps.common.texts import localized
from apps.contacts.models import Contact
from apps.messaging import opt_in
from apps.messaging.opt_in import Ask
from apps.messaging.suppressions import address_hash
from apps.responses.models import Response
from apps.surveys.definition import OPT_IN, Answers, Definition


def follow(row: Response, definition: Definition, then: Answers, *, due_at: datetime, now: datetime) -> None:
    """Have whoever agreed asked at ``due_at``; forget a request without a mail yet whose agreement is gone.

    An address that is still being typed is corrected until then: only the last one is asked. A machine's answer asks
    nobody until a human has judged it. An anonymous survey asks nobody: the request would tie the answer to a
    person. No query for surveys without such a question.
    """
    questions = [question for question in definition.questions if question.kind == OPT_IN]
    if not questions or definition.is_anonymous:
        return
    agreed = next((q for q in questions if then.get(q.key) not in (None, False)), None)
    email = _address(row, then.get(agreed.key)) if agreed and not row.is_suspected else ""
    prefix = f"response:{row.id}:"
    reason = f"{prefix}{address_hash(email).hex()[:16]}" if email else ""
    opt_in.withdraw(prefix=prefix, but=reason)
    if agreed is None or not email:
        return
    number = row.version.number if row.version else 0
    asked = Ask(
        reason=reason,
        email=email,
        contact_id=row.contact_id,
        source=f"survey:{row.survey.key}",
        text_version=f"{agreed.key[:40]} v{number}",
        wording=localized(agreed.text, row.locale),
        language=row.locale,
    )
    opt_in.request(asks=[asked], now=now, due_at=due_at)


def _address(row: Response, said: object) -> str:
    """The address that was typed, else the contact's own."""
    if isinstance(said, str):
        return said.strip().lower()
    if row.contact_id is None:
        return ""
    return Contact.objects.values_list("email", flat=True).get(pk=row.contact_id) or ""
