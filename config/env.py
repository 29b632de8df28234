"""Reads the environment once and turns a wrong or missing value into one sentence.

Every setting an operator may change is read here; ``config/settings.py`` only uses the result.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from apps.relays.esps import ESPS, Esp, Inbound, Proof

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
environ.Env.read_env(os.environ.get("ENV_FILE") or BASE_DIR / ".env")

_HOST = re.compile(r"^(?=.{1,253}(:|$))[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:\d{1,5})?$")
# A mark of up to 44 characters and “+case.” go into the local part, which has 64.
_INBOUND = re.compile(r"^[a-z0-9][a-z0-9._-]{0,13}@[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$")
_SMS_SENDER = re.compile(r"^(\+[1-9]\d{6,14}|\d{3,8}|MG[0-9a-f]{32}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11})$")


def fail(name: str, sentence: str) -> ImproperlyConfigured:
    """An error whose text is one sentence an operator can act on."""
    return ImproperlyConfigured(f"{name} {sentence}")


def text(name: str, default: str | None = None) -> str:
    """A string from the environment; required when there is no default."""
    value = os.environ.get(name, "").strip() or default
    if value is None:
        raise fail(name, "is not set; put it into the environment or into .env (see README, “Run it for real”).")
    return value


def flag(name: str, default: bool) -> bool:
    """A yes/no value: 1/0, true/false, yes/no, on/off."""
    raw = os.environ.get(name, "").strip().lower()
    if not raw:
        return default
    if raw in {"1", "true", "yes", "on"}:
        return True
    if raw in {"0", "false", "no", "off"}:
        return False
    raise fail(name, f"must be true or false, not “{raw}”.")


def number(name: str, default: int, low: int, high: int) -> int:
    """A whole number within bounds."""
    raw = os.environ.get(name, "").strip()
    if not raw:
        return default
    if not re.fullmatch(r"-?\d+", raw) or not low <= int(raw) <= high:
        raise fail(name, f"must be a whole number from {low} to {high}, not “{raw}”.")
    return int(raw)


def secret_key(debug: bool) -> str:
    """The signing key; a short or well-known one is refused outside DEBUG."""
    value = text("SECRET_KEY")
    if not debug and (len(value) < 50 or len(set(value)) < 5 or value.startswith("django-insecure-")):
        raise fail("SECRET_KEY", "must be at least 50 random characters; `make secret` prints one.")
    return value


def public_host() -> str:
    """Host name (with port, if any) of the public site; tenants live below it unless they bring their own."""
    value = text("PUBLIC_HOST").lower()
    if not _HOST.match(value):
        raise fail("PUBLIC_HOST", f"must be a bare host name such as “nps.example.com”, not “{value}”.")
    return value


def scheme() -> str:
    """http or https; links in mails and cookies depend on it."""
    value = text("PUBLIC_SCHEME", "https")
    if value not in {"http", "https"}:
        raise fail("PUBLIC_SCHEME", f"must be http or https, not “{value}”.")
    return value


def database() -> dict[str, Any]:
    """The Django database dict from DATABASE_URL (PostgreSQL only)."""
    value = text("DATABASE_URL")
    if urlsplit(value).scheme not in {"postgres", "postgresql"}:
        raise fail("DATABASE_URL", "must start with postgresql:// (Resonanz keeps one schema per tenant).")
    try:
        config = dict(env.db_url_config(value))
    except Exception as error:
        raise fail("DATABASE_URL", "cannot be read; write postgresql://user:password@host:5432/name.") from error
    if not config.get("NAME"):
        raise fail("DATABASE_URL", "names no database; write postgresql://user:password@host:5432/name.")
    return config


def broker() -> tuple[str, Path | None]:
    """Celery's broker URL, and the folder to use when none is set (one machine only)."""
    value = os.environ.get("CELERY_BROKER_URL", "").strip()
    if not value:
        return "filesystem://localhost/", data_dir() / "broker"
    if urlsplit(value).scheme not in {"redis", "rediss", "amqp", "amqps", "filesystem"}:
        raise fail("CELERY_BROKER_URL", "must start with redis://, rediss://, amqp:// or amqps://.")
    return value, data_dir() / "broker" if value.startswith("filesystem") else None


def cache() -> dict[str, Any]:
    """The Django cache dict from CACHE_URL: Redis, or the process's memory."""
    value = text("CACHE_URL", "locmem://")
    kind = urlsplit(value).scheme
    if kind in {"redis", "rediss"}:
        return {"BACKEND": "apps.common.redis_cache.ForgivingRedisCache", "LOCATION": value}
    if kind == "locmem":
        return {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    raise fail("CACHE_URL", "must start with redis://, rediss:// or locmem://.")


def data_dir() -> Path:
    """Folder for what one machine keeps: the embedded database, the demo's mails, the file broker."""
    return Path(text("DATA", str(BASE_DIR / ".data"))).expanduser().resolve()


def email() -> dict[str, Any]:
    """Django's e-mail settings from EMAIL_URL: smtp://, smtps://, maildir:///path, or anymail+NAME://.

    ``anymail+sendgrid://`` picks django-anymail's backend of that name; its keys come from
    ANYMAIL_… variables, e.g. ``ANYMAIL_SENDGRID_API_KEY``.
    """
    value = text("EMAIL_URL")
    parts = urlsplit(value)
    if parts.scheme == "maildir":
        return {"EMAIL_BACKEND": "apps.messaging.maildir.MaildirBackend", "MAILDIR": Path(parts.path)}
    if value.startswith("anymail+"):  # No scheme to urlsplit where there is an underscore in the name.
        return _esp(value.partition("://")[0].removeprefix("anymail+").lower().replace("-", "_"))
    if parts.scheme not in {"smtp", "smtps", "smtp+tls", "smtp+ssl"}:
        raise fail("EMAIL_URL", "must start with smtp://, smtp+tls://, smtps://, maildir:// or anymail+NAME://.")
    try:
        found = {**env.email_url_config(value.replace("smtps://", "smtp+ssl://", 1))}
    except Exception as error:
        raise fail("EMAIL_URL", "cannot be read; write smtp://user:password@host:587.") from error
    if not found.get("EMAIL_HOST"):
        raise fail("EMAIL_URL", "names no mail server; write smtp://user:password@host:587.")
    return {**found, "EMAIL_TIMEOUT": 30}


def _esp(name: str) -> dict[str, Any]:
    """An ESP's settings; refused where anybody could post to the webhook that it reports to."""
    esp = ESPS.get(name)
    if esp is None:
        raise fail("EMAIL_URL", f"names an unknown ESP, “{name}”; known are {', '.join(ESPS)}.")
    given = {k.removeprefix("ANYMAIL_"): v for k, v in os.environ.items() if k.startswith("ANYMAIL_") and v.strip()}
    signing = f"{name}_{esp.signing}".upper()
    is_signed = bool(esp.signing and given.get(signing))
    secret = given.get("WEBHOOK_SECRET", "")
    if secret and (":" not in secret or len(secret.partition(":")[2]) < 16):
        raise fail("ANYMAIL_WEBHOOK_SECRET", "must be user:password, the password at least 16 random characters.")
    if esp.proof is Proof.SIGNATURE and not is_signed:
        raise fail(
            f"ANYMAIL_{signing}",
            f"is not set; without it nobody can tell {esp.title}'s delivery reports from forged ones.",
        )
    if esp.proof in {Proof.SECRET, Proof.EITHER} and not (secret or is_signed):
        other = f"(or ANYMAIL_{signing}) " if esp.signing else ""
        raise fail(
            "ANYMAIL_WEBHOOK_SECRET",
            f"{other}is not set; without it anybody could forge {esp.title}'s delivery reports.",
        )
    return {"EMAIL_BACKEND": esp.backend, "ANYMAIL": given}


def inbound_mailbox() -> dict[str, Any]:
    """The mailbox that answers are fetched from, from INBOUND_MAILBOX=imaps://user:password@host/INBOX; {} for none."""
    value = text("INBOUND_MAILBOX", "")
    if not value:
        return {}
    parts = urlsplit(value)
    security = {"imaps": "ssl", "imap+tls": "tls", "imap": ""}.get(parts.scheme)
    try:
        port = parts.port
    except ValueError:
        port = 0
    if security is None or not parts.hostname or not parts.username or not parts.password or port == 0:
        raise fail("INBOUND_MAILBOX", "cannot be read; write imaps://user:password@host/INBOX.")
    return {
        "host": parts.hostname,
        "port": port or (993 if security == "ssl" else 143),
        "security": security,
        "user": unquote(parts.username),
        "password": unquote(parts.password),
        "folder": unquote(parts.path.strip("/")) or "INBOX",
    }


def inbound_address(mailbox: dict[str, Any], email: dict[str, Any]) -> str:
    """Where answers go, from INBOUND_ADDRESS, else the mailbox's user; "" where none are taken.

    A “+” and a signed mark go between its two halves: a mail service must deliver what comes after a “+” as well.
    """
    user = str(mailbox.get("user", ""))
    value = text("INBOUND_ADDRESS", user if "@" in user else "").lower()
    if not value:
        if mailbox:
            raise fail("INBOUND_ADDRESS", "is not set; it is the address that INBOUND_MAILBOX belongs to.")
        return ""
    if not _INBOUND.match(value):
        raise fail("INBOUND_ADDRESS", "must be an address with at most 14 characters and no “+” before the “@”.")
    esp = ESPS.get(str(email.get("EMAIL_BACKEND", "")).removeprefix("anymail.backends.").partition(".")[0])
    if esp is not None and not mailbox and esp.inbound is not None:
        _needs_inbound_proof(esp, esp.inbound, email["ANYMAIL"])
    return value


def _needs_inbound_proof(esp: Esp, inbound: Inbound, given: Mapping[str, Any]) -> None:
    """Refuse a service whose incoming mails anybody could forge."""
    name = f"{esp.name}_{inbound.signing}".upper() if inbound.signing else "WEBHOOK_SECRET"
    if not given.get(name):
        raise fail(f"ANYMAIL_{name}", f"is not set; without it anybody could forge answers that {esp.title} brings.")


def sms() -> dict[str, str]:
    """The service for text messages from SMS_URL: twilio://SID:TOKEN@/?from=+49…, sink:///folder, nothing for none."""
    value = text("SMS_URL", "")
    if not value:
        return {}
    parts = urlsplit(value)
    # A plus sign in a query means a space; nobody writes %2B.
    query = {name: given[0].strip() for name, given in parse_qs(parts.query.replace("+", "%2B")).items()}
    sender = query.get("from", "")
    if parts.scheme == "sink":
        return {"provider": "sink", "folder": parts.path, "sender": sender or "Resonanz"}
    if parts.scheme != "twilio":
        raise fail("SMS_URL", "must start with twilio:// or sink://.")
    if not parts.username or not parts.password:
        raise fail("SMS_URL", "needs the account's SID and token: twilio://SID:TOKEN@/?from=+49….")
    if not _SMS_SENDER.match(sender):
        raise fail("SMS_URL", "needs a sender after ?from=: a number (+49…), a service (MG…) or a name of 11 letters.")
    account, token = unquote(parts.username), unquote(parts.password)
    api_url = query.get("api_url", "")
    return {"provider": "twilio", "account": account, "token": token, "sender": sender, "api_url": api_url}


def mail_dns() -> dict[str, str]:
    """The records that the mail service of EMAIL_URL asks of senders' domains, from MAIL_DNS_…"""
    names = ("spf_include", "dkim_selector", "dkim_target", "dkim_value", "return_path_label", "return_path_target")
    found = {name: text(f"MAIL_DNS_{name.upper()}", "") for name in names}
    return {name: value for name, value in found.items() if value}
