"""Seconds for an import of so many new contacts, and for a plain COPY of the same rows into the same table:
``python -m tests.bench.engine.imports CONTACTS PAIRS`` prints JSON.
"""

import io
import resource
import sys
import time
from collections.abc import Iterator
from itertools import islice

import django
from django.utils import timezone

NAMES = ("Käthe Müller", "Jörg Groß", "Ada Lovelace", "Zoë Ångström")
PLANS = ("basic", "plus", "gold")
LINES = 20_000
_COLUMNS = (
    "id, external_id, email, phone, name, locale, time_zone, country, region, company_id, properties, "
    "created_at, updated_at"
)


def lines(turn: int, count: int) -> Iterator[str]:
    """The file's rows: nobody is in it twice, and nobody was in another turn's."""
    for n in range(count):
        name, plan = NAMES[n % 4], PLANS[n % 3]
        yield f"c-{turn}-{n:07d},c-{turn}-{n:07d}@bench.example,{name},de-DE,DE,{plan},{n % 40}\r\n"


def parts(turn: int, count: int) -> Iterator[bytes]:
    """The file as it arrives."""
    yield b"Kundennummer,E-Mail,Name,Sprache,Land,Plan,Orders\r\n"
    rows = lines(turn, count)
    while block := "".join(islice(rows, LINES)):
        yield block.encode()


def ours(turn: int, count: int) -> float:
    """Seconds from the first byte of the upload to the end of the import."""
    from apps.transfers import runs, services
    from apps.transfers.models import Import

    started = time.perf_counter()
    file = parts(turn, count)
    source = services.upload(kind="contacts", file_name="bench.csv", parts=file, now=timezone.now())
    uploaded = time.perf_counter() - started
    services.run(import_id=source.pk, now=timezone.now())
    while runs.run_next(now=timezone.now(), clock=timezone.now):
        pass
    seconds = time.perf_counter() - started
    source.refresh_from_db()
    assert (source.status, source.created, source.bad) == (Import.Status.DONE, count, 0), source.error
    print(f"  upload {uploaded:.1f} s, all {seconds:.1f} s", file=sys.stderr, flush=True)
    return seconds


def theirs(table: str) -> float:
    """Seconds for the rows that are in the table, copied into an empty one with the same indexes and constraints."""
    from django.db import connection

    company = "FOREIGN KEY (company_id) REFERENCES contacts_company DEFERRABLE INITIALLY DEFERRED"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {table} (LIKE contacts_contact INCLUDING ALL)")
        cursor.execute(f"ALTER TABLE {table} ADD {company}")
        text = io.BytesIO()
        with cursor.copy(f"COPY (SELECT {_COLUMNS} FROM contacts_contact ORDER BY external_id) TO STDOUT") as copy:
            for block in copy:
                text.write(block)
        view = text.getbuffer()
        started = time.perf_counter()
        with cursor.copy(f"COPY {table} ({_COLUMNS}) FROM STDIN") as copy:
            for start in range(0, len(view), 1 << 20):
                copy.write(view[start : start + (1 << 20)])
        seconds = time.perf_counter() - started
        cursor.execute(f"DROP TABLE {table}")
    print(f"  COPY {seconds:.1f} s", file=sys.stderr, flush=True)
    return seconds


def main(count: int, pairs: int) -> None:
    """Both in turn; each import finds the table empty, as the COPY does."""
    django.setup()
    from django.db import connection

    from apps.contacts.models import Contact
    from tests.bench.engine import world

    results: dict[str, list[float]] = {"ours": [], "theirs": []}
    megabytes = 0.0
    with world.tenant("imports"):
        for turn in range(pairs):
            results["ours"].append(count / ours(turn, count))
            if not megabytes:  # The COPY's rows are held in this process, too.
                megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            results["theirs"].append(count / theirs(f"contacts_copy_{turn}"))
            assert Contact.objects.count() == count
            with connection.cursor() as cursor:
                cursor.execute("TRUNCATE contacts_contact, transfers_import CASCADE")
    world.show(megabytes=megabytes, **results)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
