"""Files on their way in: refused as a whole with a sentence, or read row by row with clean errors."""

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from apps.contacts.models import Contact
from apps.messaging.models import Suppression
from apps.transfers import intake, runs, services
from apps.transfers.fields import guess
from apps.transfers.models import BadRow, Import, ImportBatch, ImportChunk
from apps.transfers.problems import TransferError
from tests.factories import SurveyFactory
from tests.transfers.importing import NOW, clock, counts, imported, uploaded, work
from tests.transfers.test_reading import workbook

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("tenant")]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\n\n\n", "empty"),
        (b"email,name\n", "no rows"),
        (b"email\x00,name\na@example.com,x\n", "first row cannot be read"),
        (b'"email,name\n' + b"x" * 200_000, "first row cannot be read"),
        (b",".join(b"c%d" % n for n in range(10_000)) + b"\n1\n", "10000 columns"),
        (b"\xd0\xcf\x11\xe0" + b"\x00" * 600, "old Excel"),
        (b"%PDF-1.7\n", "PDF"),
    ],
    ids=[
        "empty",
        "blank lines",
        "header only",
        "NUL in the header",
        "no end of the header",
        "10,000 columns",
        "xls",
        "pdf",
    ],
)
def test_a_file_that_is_no_table_is_refused_and_leaves_nothing(content: bytes, reason: str) -> None:
    with pytest.raises(TransferError, match=reason):
        uploaded(content)
    assert not Import.objects.exists()
    assert not ImportChunk.objects.exists()


def test_a_file_of_more_than_a_gigabyte_is_refused_before_it_is_read_to_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(intake, "MAX_BYTES", 5_000_000)
    given = 0

    def endless() -> Iterator[bytes]:
        nonlocal given
        while True:
            given += 65536
            yield b"a@example.com,name\n" * 3449

    with pytest.raises(TransferError, match="at most 1 GB"):
        services.upload(kind="contacts", file_name="x.csv", parts=endless(), now=NOW)
    assert given < 6_000_000
    assert not ImportChunk.objects.exists()


TEXT = "Kundennummer;E-Mail;Name\nK-1;kaethe@example.com;Käthe Müller – Größe\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_whatever_the_encoding_the_letters_are_right(encoding: str) -> None:
    source = imported(TEXT.encode(encoding))
    assert (counts(source), Contact.objects.get().name) == ({"created": 1}, "Käthe Müller – Größe")
    assert source.headers == ["Kundennummer", "E-Mail", "Name"]


def test_every_bad_row_is_told_with_its_number_column_and_reason_and_the_others_are_taken() -> None:
    source = imported(
        "email,name,phone,lang,tz,country,region,email\n"
        "good@example.com,Good,,,,,,\n"
        "no address,Bad,,,,,,\n"
        "nul@example.com,a\x00b,,,,,,\n"
        "wide@example.com,,,,,,,,,more\n"
        "short@example.com\n"
        f"long@example.com,{'x' * 201},12,english please,Mars/Base,Utopia,BY,\n"
        f'huge@example.com,"{"x" * 140_000}",,,,,,\n'
        "\n"
        ",nobody,,,,,,\n"
        "dup@example.com,One,,,,,,\n"
        "DUP@example.com,Two,,,,,,\n"
        '"open@example.com,quote\n'
        "last@example.com,Last,,,,,,\n",
        mapping=["email", "name", "phone", "locale", "time_zone", "country", "region", ""],
    )
    assert counts(source) == {"created": 4, "updated": 1, "bad": 7}
    assert source.rows_total == 12
    found = {
        row.number: {(header, str(text)) for header, text in row.problems} for row in services.bad_rows(source=source)
    }
    assert found == {
        3: {("email", "This is not an e-mail address.")},
        4: {("", "This row contains NUL characters. Save the file anew as CSV (UTF-8).")},
        5: {("", "This row has more cells than the file has columns. Is a quotation mark missing?")},
        7: {
            ("name", "This is too long."),
            ("phone", "This is not a telephone number. Write it with its country, such as +49 170 1234567."),
            ("lang", "This is not a language such as de or en-GB."),
            ("tz", "This is not a time zone such as Europe/Berlin."),
            ("country", "This is not a country of two letters, such as DE."),
            ("region", "The country of this row has no such region, such as BY in DE."),
        },
        8: {("", "This row cannot be read: a field is too long, or a quotation mark is missing.")},
        10: {("", "An external id or an e-mail address is needed.")},
        13: {("", "This row cannot be read: a field is too long, or a quotation mark is missing.")},
    }
    assert Contact.objects.get(email="dup@example.com").name == "Two"
    assert source.headers[-1] == "email (2)"


def test_the_bad_rows_come_back_without_formulas_and_can_be_imported_again() -> None:
    source = imported('email,name,phone\n=cmd|calc!A0,@SUM(A1),"\t=1"\n-x,+49 170 1234567,<script>\n')
    assert counts(source) == {"bad": 2}
    text = b"".join(services.bad_rows_csv(source=source)).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["Row", "Problems", "email", "name", "phone"]
    assert rows[1][2:] == ["'=cmd|calc!A0", "'@SUM(A1)", "'\t=1"]
    assert rows[2][2:] == ["'-x", "'+49 170 1234567", "<script>"]
    assert "email: This is not an e-mail address." in rows[1][1]
    fixed = text.replace("'-x", "x@example.com").replace("<script>", "'+49 170 1234567")
    again = imported(fixed, mapping=["", "", "email", "name", "phone"])
    assert counts(again) == {"created": 1, "bad": 1}
    assert Contact.objects.values_list("name", "phone").get() == ("+49 170 1234567", "+491701234567")


def test_a_workbook_waits_for_a_worker_and_then_is_like_any_file() -> None:
    file = workbook(["E-Mail", "Telefon", "Kunde seit"], ["a@example.com", 491701234567.0, None]).getvalue()
    source = uploaded(file, name="C:\\fakepath\\list.xlsx")
    assert (source.status, source.file_name) == ("uploaded", "list.xlsx")
    work(source)
    assert (source.status, source.mapping) == ("mapping", ["email", "phone", "property:kunde_seit"])
    services.choose(import_id=source.pk, mapping=["email", "property:tel", ""], options={}, now=clock())
    services.run(import_id=source.pk, now=clock())
    assert counts(work(source)) == {"created": 1}
    assert Contact.objects.get().properties == {"tel": "491701234567"}


def test_a_broken_workbook_fails_with_a_sentence() -> None:
    source = work(uploaded(b"PK\x03\x04 rubbish"))
    assert (source.status, source.error) == ("failed", "The workbook cannot be read. Save it as .csv and upload that.")


def test_the_preview_shows_rows_as_they_would_be_taken() -> None:
    source = uploaded("E-Mail;Vorname;Nachname;Tarif\nADA@example.com;Ada;Lovelace;gold\nnobody;;;\n")
    first, second = services.preview(source=source)
    assert first.values == {"email": "ada@example.com", "name": "Ada Lovelace", "property:tarif": "gold"}
    assert [(row.number, [header for header, _text in row.problems]) for row in (first, second)] == [
        (2, []),
        (3, ["E-Mail"]),
    ]
    assert not Contact.objects.exists()


@pytest.mark.parametrize(
    ("mapping", "options", "reason"),
    [
        (["email"], {}, "2 columns"),
        (["email", "email"], {}, "mean the same"),
        (["email", "password"], {}, "nothing a column can mean"),
        (["email", "property:"], {}, "nothing a column can mean"),
        (["name", ""], {}, "external id or the e-mail"),
        (["email", ""], {"is_admin": True}, "no option"),
        (["email", ""], {"country": "XX"}, "two letters"),
        (["email", ""], {"existing": "delete"}, "known already"),
        (["email", ""], {"legal_basis": {"kind": "consent"}}, "needs its source"),
        (["email", ""], {"legal_basis": {"kind": "existing_customer", "source": "shop"}}, "notice"),
        (["email", ""], {"legal_basis": {"kind": "consent", "source": "x", "granted_at": "2030-01-01"}}, "future"),
        (["email", ""], {"legal_basis": {"kind": "consent", "source": "x", "granted_at": "soon"}}, "as a date"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_sentence(
    mapping: list[str], options: dict[str, Any], reason: str
) -> None:
    source = uploaded("email,name\na@example.com,x\n")
    with pytest.raises(TransferError, match=reason):
        services.choose(import_id=source.pk, mapping=mapping, options=options, now=clock())


@pytest.mark.parametrize(
    ("kind", "header", "preset", "mapping"),
    [
        (
            "responses",
            "Response ID,Score,Comment,Person Email,Person Name,Created at,Permalink,Plan",
            "delighted_responses",
            ["response_id", "score", "comment", "email", "name", "answered_at", "", "property:plan"],
        ),
        (
            "contacts",
            "ID,Email,Name,Phone Number,Last sent at,Created at",
            "delighted_people",
            ["", "email", "name", "phone", "", ""],
        ),
        ("suppressions", "Person ID,Email,Name,Unsubscribed at", "delighted_unsubscribes", ["", "address", "", ""]),
        (
            "responses",
            "Respondent ID,Collector ID,Start Date,End Date,IP Address,Email Address,First Name,Last Name,Score",
            "surveymonkey",
            ["response_id", "", "", "answered_at", "", "email", "first_name", "last_name", "score"],
        ),
        (
            "responses",
            "StartDate,EndDate,Status,IPAddress,Finished,RecordedDate,ResponseId,RecipientLastName,RecipientEmail,"
            "ExternalReference,DistributionChannel,UserLanguage,NPS",
            "qualtrics_responses",
            [
                "",
                "",
                "",
                "",
                "",
                "answered_at",
                "response_id",
                "last_name",
                "email",
                "external_id",
                "",
                "locale",
                "score",
            ],
        ),
        (
            "responses",
            "No.,Response ID,Timestamp,Finished,Survey ID,User ID,Tags,1. Score",
            "formbricks",
            ["", "response_id", "answered_at", "", "", "external_id", "tags", "property:1_score"],
        ),
        (
            "contacts",
            "Vorname,Nachname,Mailadresse,Handynummer,Firma",
            "",
            ["first_name", "last_name", "email", "phone", "company_name"],
        ),
        ("contacts", "A,B", "", ["property:a", "property:b"]),
    ],
)
def test_the_columns_of_other_tools_are_known(kind: str, header: str, preset: str, mapping: list[str]) -> None:
    source = uploaded(header + "\n" + ",".join("x" for _name in mapping) + "\n", kind=kind)
    assert (source.preset, source.mapping) == (preset, mapping)


def test_columns_without_a_telling_name_are_guessed_from_their_values() -> None:
    samples = [["a@example.com", "+49 170 1234567", "x"], ["b@example.com", "0049 30 1234567", "y"]]
    assert guess(kind="contacts", headers=["A", "B", "C"], samples=samples) == ["email", "phone", "property:c"]


def test_a_list_without_a_header_is_known_by_its_first_address() -> None:
    source = imported(
        "a@example.com\n+49 170 1234567\nnonsense\nA@example.com\n", kind="suppressions", reason="unsubscribed"
    )
    assert (source.has_header, counts(source)) == (False, {"created": 2, "unchanged": 1, "bad": 1})
    assert set(Suppression.objects.values_list("email", "reason", "source")) == {
        ("a@example.com", "unsubscribed", "file.csv"), ("+491701234567", "unsubscribed", "file.csv"),
    }  # fmt: skip
    assert BadRow.objects.get().number == 3


def test_past_responses_come_with_their_contacts_and_only_once() -> None:
    survey = SurveyFactory()
    file = (
        "Respondent ID,Collector ID,Start Date,End Date,Email Address,First Name,Score,Comment,Tags,Plan\n"
        ",,,,,,Response,Open-Ended Response,\n"
        '1,9,01/30/2026,01/31/2026 02:30:00 PM,a@example.com,Ada,10 - Extremely likely,Great,"a, b",old\n'
        "2,9,01/30/2026,01/31/2026 02:31:00 PM,,,3,,\n"
        "3,9,01/30/2026,01/31/2026 02:32:00 PM,a@example.com,,11,,\n"
        "4,9,01/30/2026,01/31/2030 02:32:00 PM,a@example.com,,9,,\n"
    )
    source = imported(file, kind="responses", survey=survey.key, tags=["2026"])
    assert counts(source) == {"created": 2, "bad": 2}
    first, second = survey.responses.order_by("answered_at").select_related("contact")
    assert (first.score, first.comment, first.tags, first.source) == (
        10,
        "Great",
        ["2026", "a", "b"],
        "import:surveymonkey",
    )
    assert first.contact is not None
    assert (first.contact.email, second.score, second.contact) == ("a@example.com", 3, None)
    assert (first.properties, first.contact.properties) == ({"plan": "old"}, {}), "what was true then is not true now"
    again = imported(file, kind="responses", survey=survey.key)
    assert counts(again) == {"unchanged": 2, "bad": 2}
    undone = services.undo(import_id=source.pk, now=clock())
    assert work(undone).undo_result["deleted"] == 3
    assert not survey.responses.exists()
    assert not Contact.objects.exists()


def test_past_responses_may_say_that_something_was_promised() -> None:
    survey = SurveyFactory()
    file = "score,answered_at,incentivised\n" + "".join(
        f"{score},2026-01-01,{said}\n"
        for score, said in enumerate(["yes", "Ja", "TRUE", "1", "no", "nein", "false", "", "perhaps"])
    )
    source = imported(file, kind="responses", survey=survey.key)
    assert source.mapping == ["score", "answered_at", "incentivised"]
    assert counts(source) == {"created": 8, "bad": 1}
    marked = survey.responses.filter(is_incentivised=True).values_list("score", flat=True)
    assert sorted(marked) == [0, 1, 2, 3]
    assert BadRow.objects.get().problems == [[2, "yes_no"]]


def test_files_and_traces_are_forgotten_after_a_week() -> None:
    source = imported("email\na@example.com\nb\n")
    later = NOW + timedelta(days=8)
    assert runs.next_due() == source.forget_at
    assert runs.run_next(now=later, clock=lambda: later) == 1
    assert not any(model.objects.exists() for model in (ImportChunk, BadRow, ImportBatch))
    source.refresh_from_db()
    assert (source.created, source.bad, runs.next_due()) == (1, 1, None)
    with pytest.raises(TransferError, match="deleted"):
        services.undo(import_id=source.pk, now=later)
