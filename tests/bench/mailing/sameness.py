"""Every hundredth mail, as it came out of the line, against what Django's classes make of the same contact.

``python -m tests.bench.mailing.sameness MAILS FOLDER`` prints JSON; EMAIL_URL must lead to an smtp-sink that keeps
its mails in FOLDER.
"""

import sys
import time
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path

import django
from django.utils import timezone

STEP = 100


def main(count: int, folder: Path) -> None:
    """Send, read back, compare."""
    django.setup()
    from apps.messaging import sending, services
    from apps.surveys.mails import current_theme, render_letters
    from tests.bench.engine import world
    from tests.bench.mailing.compare import differences
    from tests.bench.mailing.mails import BASE_URL, letters, stock_message
    from tests.bench.mailing.turns import furnish

    with world.tenant("sameness"):
        contacts = furnish(count)
        now = timezone.now()
        services.enqueue(mails=render_letters(letters(contacts, "same"), base_url=BASE_URL), now=now)
        while sending.send_batch(now=timezone.now() + timedelta(seconds=1)):
            pass
        time.sleep(1)
        chosen = {contact.email: contact for contact in contacts[::STEP]}
        theme = current_theme()
        found, compared = [], 0
        for path in folder.iterdir():
            data = _without_envelope(path.read_bytes())
            to = str(message_from_bytes(data)["To"]).rpartition("<")[2].rstrip(">")
            if to in chosen:
                theirs = stock_message(chosen.pop(to), theme, tidy=True).message().as_bytes(linesep="\r\n")
                compared += 1
                found += [f"{to}: {one}" for one in differences(data, theirs)]
        world.show(compared=compared, missing=len(chosen), differences=found[:20])


def _without_envelope(data: bytes) -> bytes:
    """The sink writes who was connected and whom it was for above the mail, as X- headers, and Received."""
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
