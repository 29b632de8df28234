"""Sender domains: may we send in their name? Asks DNS, keeps what it said, and looks again every day.

A domain is verified when its DNS (1) names this tenant, (2) has the mail service's DKIM key, (3) has a DMARC policy,
and (4) either includes the service in its SPF or has the service's Return-Path host. Without (1) a tenant could
write in the name of another whose DNS lets the same service send.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import dns.exception
import dns.name
import dns.resolver
from django.conf import settings
from django.db.models import F, Min, Q
from django.utils.encoding import punycode

from apps.common import agenda, tokens
from apps.messaging import dns_findings
from apps.messaging.dns_findings import Finding, Question, Wanted
from apps.messaging.models import Sender, SenderDomain
from apps.relays import services as relays

QUEUE = "messaging.check_domains"
AGAIN_AFTER = timedelta(days=1)
QUERY_SECONDS = 3.0
TOTAL_SECONDS = 15.0
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
# Nobody but their providers can put anything into their DNS.
_PROVIDERS = """
    aol.com arcor.de bluewin.ch fastmail.com freenet.de gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.net
    googlemail.com hotmail.com hotmail.de hotmail.fr icloud.com laposte.net libero.it live.com live.de mac.com
    mail.com mail.de mail.ru mailbox.org me.com msn.com orange.fr outlook.com outlook.de posteo.de proton.me
    protonmail.com qq.com t-online.de web.de wp.pl yahoo.com yahoo.de yahoo.fr yandex.ru ymail.com zoho.com
    163.com
"""
FREE_MAIL = frozenset(_PROVIDERS.split())


def verified(domain: str) -> bool:
    """Whether mails may leave in this domain's name."""
    return SenderDomain.objects.filter(domain=domain.lower(), verified_at__isnull=False).exists()


def is_free_mail(domain: str) -> bool:
    """Whether the domain belongs to a provider of mailboxes for everybody."""
    return domain.lower() in FREE_MAIL


def register(*, domain: str, now: datetime) -> None:
    """Remember a domain that a sender uses, and have it looked at soon."""
    if not is_free_mail(domain):
        SenderDomain.objects.bulk_create([SenderDomain(domain=domain.lower())], ignore_conflicts=True)
        agenda.wake(queue=QUEUE, due_at=now, now=now)


def wanted_of(domain: str) -> Wanted:
    """What should stand in the domain's DNS: by the mail service that its senders use, and to name this tenant."""
    name = punycode(domain)
    proof = f"resonanz={tokens.keyed_hash(f'sender-domain|{name}').hex()[:40]}"
    senders = Sender.objects.filter(email__iendswith=f"@{domain}").order_by("-is_default", "pk")
    relay = relays.hints(senders.values_list("relay", flat=True).first() or "")
    if relay is None:
        return Wanted(domain=name, proof=proof, **settings.MAIL_DNS)
    return Wanted(
        domain=name,
        proof=proof,
        spf_include=relay.spf_include,
        dkim_selector=relay.dkim_selector,
        dkim_target=relay.dkim_target,
        dkim_value=relay.dkim_value,
        return_path_label=relay.return_path_label,
        return_path_target=relay.return_path_target,
    )


def expected(domain: str) -> list[Finding]:
    """The table before anybody has asked: what to put where."""
    return dns_findings.findings(wanted_of(domain), {})


def look_now(*, domain: str, now: datetime) -> SenderDomain | None:
    """Check a sender's domain at once; None if it is a mailbox provider's."""
    if is_free_mail(domain):
        return None
    row, _made = SenderDomain.objects.get_or_create(domain=domain.lower())
    check(row=row, now=now)
    return row


def check(*, row: SenderDomain, now: datetime, resolver: dns.resolver.Resolver | None = None) -> None:
    """Ask DNS and keep what it said. Where it gave no answer, a verified domain stays verified.

    Takes at most ``TOTAL_SECONDS``. ``resolver``: by default the machine's own.
    """
    wanted = wanted_of(row.domain)
    table = dns_findings.findings(wanted, _ask(wanted, resolver))
    row.findings = [finding.as_json() for finding in table]
    row.checked_at = now
    if dns_findings.is_verified(table):
        row.verified_at = row.verified_at or now
    elif not dns_findings.is_unanswered(table):
        row.verified_at = None
    row.save(update_fields=["findings", "checked_at", "verified_at"])


def check_next(*, now: datetime, resolver: dns.resolver.Resolver | None = None) -> int:
    """Check one domain that is due; returns how many that were."""
    row = SenderDomain.objects.filter(_due(now)).order_by(F("checked_at").asc(nulls_first=True), "pk").first()
    if row is None:
        return 0
    check(row=row, now=now, resolver=resolver)
    return 1


def next_check_due() -> datetime | None:
    """When a domain is to be looked at again. One that somebody vouched for and that was never looked at: not."""
    found = SenderDomain.objects.aggregate(
        at=Min("checked_at"), new=Min("pk", filter=Q(checked_at=None, verified_at=None))
    )
    if found["new"] is not None:
        return _LONG_AGO
    return found["at"] + AGAIN_AFTER if found["at"] else None


def _due(now: datetime) -> Q:
    return Q(checked_at__lte=now - AGAIN_AFTER) | Q(checked_at=None, verified_at=None)


def _ask(wanted: Wanted, resolver: dns.resolver.Resolver | None) -> dict[Question, Sequence[str] | None]:
    """Answers to all questions, also to those that follow from answers."""
    answers: dict[Question, Sequence[str] | None] = {}
    stop_at = time.monotonic() + TOTAL_SECONDS
    while open_questions := dns_findings.questions(wanted, answers):
        for question in open_questions:
            left = stop_at - time.monotonic()
            answers[question] = _lookup(question, min(QUERY_SECONDS, left), resolver) if left > 0 else None
    return answers


def _lookup(question: Question, seconds: float, resolver: dns.resolver.Resolver | None) -> list[str] | None:
    """The records; none at all is an empty list, no answer None."""
    name, kind = question
    try:
        found = (resolver or dns.resolver.get_default_resolver()).resolve(name, kind, lifetime=seconds, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, dns.exception.SyntaxError, dns.name.LabelTooLong):
        return []
    except (dns.exception.DNSException, OSError):
        return None
    if kind == "CNAME":
        return [record.target.to_text(omit_final_dot=True) for record in found][:10]
    return [b"".join(record.strings).decode(errors="replace").replace("\x00", "")[:1000] for record in found][:20]
