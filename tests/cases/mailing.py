"""Mails for tests of answers: built by hand, as mail programs write them."""

from typing import Any

from apps.cases import addresses
from apps.cases.models import Case, CaseMail
from apps.cases.writing import write
from tests.cases.caring import NOW

REPLY = "reply@in.resonanz.test"


def written(case: Case, text: str = "We are sorry. What happened?", **fields: Any) -> CaseMail:
    values: dict[str, Any] = {"subject": "", "by": None, "now": NOW, "base_url": "http://nordwind.resonanz.test"}
    return write(case_id=case.pk, text=text, **{**values, **fields})


def address_of(case: Case) -> str:
    return addresses.reply_address(case_id=case.pk)


def mail(
    *, to: str, text: str = "It came broken.", sender: str = "", message_id: str = "<a1@example.com>", **more: str
) -> bytes:
    """A plain mail; headers that a keyword names are added, underscores as hyphens."""
    head = {
        "From": sender or "Ada <ada@example.com>", "To": to, "Subject": "Re: Your feedback", "Message-ID": message_id,
        "Date": "Mon, 23 Nov 2026 11:00:00 +0100", "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8", "Content-Transfer-Encoding": "8bit",
        **{name.replace("_", "-"): value for name, value in more.items()},
    }  # fmt: skip
    lines = [f"{name}: {value}" for name, value in head.items() if value]
    return ("\r\n".join(lines) + "\r\n\r\n" + text.replace("\n", "\r\n")).encode()
