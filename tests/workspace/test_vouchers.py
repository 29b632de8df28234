"""The pages about vouchers: pools, their codes, bringing new ones, withdrawing and exporting; and who may."""

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import xlsxwriter
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from apps.accounts.models import User
from apps.contacts.models import Contact
from apps.incentives import services
from apps.incentives.models import Voucher, VoucherPool
from apps.workspace import voucher_files
from tests.incentives.giving import answered, generating, give, make_pool

LIST = "/vouchers/"
RIGHTS = ["view_voucherpool", "add_voucherpool", "change_voucherpool", "view_voucher", "add_voucher", "change_voucher"]
NEW = {"name": "Thanks", "value_en": "5 €", "kind": "uploaded", "is_active": "on", "low_stock": "20"}


def allow(user: User, *names: str) -> None:
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="incentives", codename__in=names))


@pytest.fixture
def manager(client: Client, user: User) -> Client:
    """Who may do everything with vouchers."""
    allow(user, *RIGHTS)
    return client


def text_of(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status, answer.status_code
    return str(answer.content.decode())


def workbook(*rows: list[str]) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        for place, row in enumerate(rows):
            sheet.write_row(place, 0, row)
    return file.getvalue()


def bring(client: Client, pool: VoucherPool, content: bytes = b"", name: str = "codes.csv", text: str = "") -> Any:
    data: dict[str, Any] = {"text": text}
    if content:
        data["file"] = SimpleUploadedFile(name, content)
    return client.post(f"{LIST}{pool.pk}/upload/", data, follow=True)


def known(pool: VoucherPool) -> list[str]:
    return list(Voucher.objects.filter(pool=pool).order_by("pk").values_list("code", flat=True))


def test_each_right_opens_its_own_and_nothing_else(client: Client, user: User) -> None:
    pool = make_pool(codes=3)
    one = Voucher.objects.first()
    assert one is not None
    own = f"{LIST}{pool.pk}/"
    opened = {  # What it takes beside the right to see pools.
        ("GET", f"{LIST}new/"): "add_voucherpool", ("GET", f"{own}edit/"): "change_voucherpool",
        ("POST", f"{own}upload/"): "add_voucher", ("GET", f"{own}export.csv"): "view_voucher",
        ("POST", f"{own}codes/{one.pk}/withdraw/"): "change_voucher",
    }  # fmt: skip
    for url in (LIST, own):
        assert client.get(url).status_code == 403
    assert LIST not in text_of(client.get("/decisions/"))
    for (method, url), right in opened.items():
        allow(user, *(name for name in RIGHTS if name != right))
        assert client.generic(method, url).status_code == 403, url
    assert Voucher.objects.filter(status="free").count() == 3
    allow(user, "view_voucherpool")
    page = text_of(client.get(own))
    assert "The codes are shown to those who may view vouchers." in page
    assert one.code not in page
    assert "Add codes" not in page


def test_a_pool_is_made_with_what_was_typed_kept_then_changed(manager: Client) -> None:
    assert "There are no vouchers yet." in text_of(manager.get(LIST))
    typed = {
        **NEW,
        "name": "<b>Thanks</b>",
        "kind": "generated",
        "pattern": "AB##",
        "unit_cost": "2.50",
        "terms_de": "Ab 50 €",
    }
    wrong = text_of(manager.post(f"{LIST}new/", typed), 422)
    assert "Use at least 8 “#”" in wrong
    assert "Say in which currency the cost is." in wrong
    assert 'value="AB##"' in wrong
    assert "Ab 50 €" in wrong
    assert "&lt;b&gt;Thanks" in wrong
    made = manager.post(f"{LIST}new/", {**typed, "pattern": "AB-########", "currency": "eur"})
    row = VoucherPool.objects.get()
    assert (made["Location"], row.currency, row.terms) == (f"{LIST}{row.pk}/", "EUR", {"de": "Ab 50 €"})
    VoucherPool.objects.update(is_low=True, low_count=3)
    changed = {
        **typed,
        "pattern": "AB-########",
        "currency": "EUR",
        "kind": "uploaded",
        "max_issued": "9",
        "low_stock": "",
    }
    assert manager.post(f"{LIST}{row.pk}/edit/", changed).status_code == 302
    row.refresh_from_db()
    assert (row.kind, row.max_issued, row.low_count, row.is_low) == ("generated", 9, 3, False)
    again = text_of(manager.post(f"{LIST}new/", {**NEW, "name": row.name}), 422)
    assert "already exists" in again


def test_the_list_shows_stock_rate_cost_and_what_runs_out_for_few_and_many_alike(
    manager: Client, queries_of: Callable[[str], int]
) -> None:
    pool = make_pool(codes=5, name="Sorry", unit_cost="2.50", currency="EUR")
    found = list(give(pool, answered(4), now=timezone.now()).values())
    services.redeemed(code=found[0].code, now=timezone.now())
    few, one = queries_of(LIST), queries_of(f"{LIST}{pool.pk}/")
    page = text_of(manager.get(LIST))
    for part in ("10 % off", "25.0\u00a0%", "2.50 EUR"):
        assert part in page, part
    VoucherPool.objects.bulk_create(VoucherPool(name=f"More {n}", value={"en": "x"}) for n in range(30))
    make_pool(codes=30, name="Filled")
    give(pool, answered(1), "more", now=timezone.now())
    assert (queries_of(LIST), queries_of(f"{LIST}{pool.pk}/")) == (few, one)
    assert few <= 7
    assert one <= 11
    first = manager.get(LIST).context["page"]
    assert (len(first.rows), first.total) == (25, 32)
    assert len(manager.get(LIST, {"cursor": first.next_cursor}).context["page"].rows) == 7
    VoucherPool.objects.filter(pk=pool.pk).update(is_low=True)
    for query, total in {
        "q=more 1": 11,
        "state=low": 1,
        "state=off": 0,
        "kind=uploaded": 32,
        "kind=nonsense": 32,
    }.items():
        assert manager.get(f"{LIST}?{query}").context["page"].total == total, query
    assert "Running out" in text_of(manager.get(f"{LIST}?state=low"))
    assert "No pool fits these filters." in text_of(manager.get(f"{LIST}?state=off"))


def test_vouchers_are_found_by_code_contact_and_status(manager: Client) -> None:
    pool, rows = make_pool(codes=60), answered(30)
    give(pool, rows, now=timezone.now())
    Contact.objects.filter(pk=rows[0].contact_id).update(name="<i>Grace</i>", email="grace@example.com")
    url = f"{LIST}{pool.pk}/"
    first = manager.get(url).context["page"]
    assert (len(first.rows), first.total) == (25, 30)
    assert len(manager.get(url, {"cursor": first.next_cursor}).context["page"].rows) == 5
    totals = {"q=sorry-0004": 10, "q=GRACE": 1, "status=free": 30, "status=redeemed": 0, "status=free&q=sorry-00059": 1,
              "q=%25": 0, "q=_": 0, "status=nonsense": 30}  # fmt: skip
    for query, total in totals.items():
        assert manager.get(f"{url}?{query}").context["page"].total == total, query
    free = manager.get(f"{url}?status=free").context["page"]
    assert len(manager.get(url, {"status": "free", "cursor": free.next_cursor}).context["page"].rows) == 5
    assert "&lt;i&gt;Grace" in text_of(manager.get(f"{url}?q=grace"))
    assert "No voucher fits these filters." in text_of(manager.get(f"{url}?q=nothing"))


UMLAUT = "code;f\xfcr\nAAAA-1;x\nAAAA-2;y\n"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"AAAA-1\nAAAA-2\n", "codes.txt"),
        (b"AAAA-1\r\nAAAA-2", "codes.csv"),
        (b"\xef\xbb\xbfCode\r\nAAAA-1\r\nAAAA-2\r\n", "codes.csv"),
        (b'Name,"Discount code"\n"x, y",AAAA-1\nz,AAAA-2\n', "shop.csv"),
        (UMLAUT.encode("cp1252"), "old.csv"),
        ("Gutscheincode\nAAAA-1\nAAAA-2\n".encode("utf-16"), "codes.txt"),
        (workbook(["Value", "Coupon"], ["5", "AAAA-1"], ["5", "AAAA-2"]), "codes.xlsx"),
    ],
)
def test_codes_are_read_from_files_of_all_kinds(manager: Client, content: bytes, name: str) -> None:
    pool = make_pool()
    assert "2 codes added." in text_of(bring(manager, pool, content, name))
    assert known(pool) == ["AAAA-1", "AAAA-2"]


def test_lines_that_are_no_codes_are_told_by_number_and_stay_to_be_corrected(manager: Client) -> None:
    pool = make_pool(codes=2)
    page = text_of(bring(manager, pool, text="AAAA-1, aaaa-1\nSorry-00000\n\n<script>x\nTWO WORDS;BBBB-1"))
    assert "2 codes added. 1 stood there more than once. 1 was here before." in page
    assert "Line 4" in page
    assert "Line 5" in page
    assert "<script>x" not in page
    assert re.search(r"<textarea[^>]*>\s*&lt;script&gt;x\nTWO WORDS</textarea>", page)
    assert known(pool)[2:] == ["AAAA-1", "BBBB-1"]
    again = text_of(bring(manager, pool, b"Code\n=HYPERLINK(1)\nCCCC-1\n"))
    assert "Line 2" in again


def test_nothing_that_was_brought_gets_lost_in_silence(manager: Client) -> None:
    pool = make_pool()
    wrong = [f"{'x' * 90} {number}" for number in range(70)]
    page = text_of(bring(manager, pool, text="\n".join([*wrong, "AAAA-1"])))
    assert all(line in page for line in wrong), "all of it stays to be corrected, at its full length"
    page = text_of(bring(manager, pool, b"Code\n" + b"AAAA-2 " * 300_000 + b"\nAAAA-3\n"))
    assert "Line 2" in page, "a line that is too long to be read"
    assert known(pool) == ["AAAA-1", "AAAA-3"]


@pytest.mark.parametrize(
    ("content", "text", "said"),
    [
        (b"", "", "Choose a file, or paste some codes."),
        (b"", " \n ", "Choose a file, or paste some codes."),
        (b"%PDF-1.7 x", "", "This is a PDF."),
        (b"PK\x03\x04 no workbook", "", "The workbook cannot be read."),
        (b"", "x" * 500_001, "at most 500000 characters"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_do(manager: Client, content: bytes, text: str, said: str) -> None:
    pool = make_pool()
    page = text_of(bring(manager, pool, content, text=text), 422)
    assert said in page
    assert not known(pool)


def test_a_file_that_is_too_large_or_a_pool_that_takes_none_is_refused(
    manager: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "makes its own codes" in text_of(bring(manager, generating(), b"AAAA-1\n"))
    pool = make_pool()
    monkeypatch.setattr(voucher_files, "MAX_FILE", -2 * 1024 * 1024)
    assert "at most 50 MB" in text_of(bring(manager, pool, b"AAAA-1\n"), 413)
    assert not known(pool)
    csrf = Client(headers={"host": "nordwind.resonanz.test"}, enforce_csrf_checks=True)
    csrf.force_login(User.objects.get())
    monkeypatch.undo()
    assert csrf.post(f"{LIST}{pool.pk}/upload/", {"text": "AAAA-1"}).status_code == 403


def test_a_voucher_is_withdrawn_and_one_of_another_pool_is_not_found_here(manager: Client) -> None:
    pool, other = make_pool(codes=2), make_pool(codes=1, name="Other")
    first, second = Voucher.objects.filter(pool=pool).order_by("pk")
    [theirs] = other.vouchers.all()
    url = f"{LIST}{pool.pk}/codes/"
    assert "is withdrawn." in text_of(manager.post(f"{url}{first.pk}/withdraw/", follow=True))
    assert "was redeemed or withdrawn before." in text_of(manager.post(f"{url}{first.pk}/withdraw/", follow=True))
    assert manager.post(f"{url}{theirs.pk}/withdraw/").status_code == 404
    assert manager.get(f"{url}{second.pk}/withdraw/").status_code == 405
    assert list(Voucher.objects.order_by("pk").values_list("status", flat=True)) == ["withdrawn", "free", "free"]


def test_the_export_has_what_the_filters_leave_and_no_formula(manager: Client) -> None:
    pool, rows = make_pool(codes=9), answered(2)
    found = list(give(pool, rows, now=timezone.now() - timedelta(hours=1)).values())
    services.redeemed(code=found[0].code, order="=1+1", amount=None, now=timezone.now())
    Contact.objects.update(name="@SUM(A1)")
    answer = manager.get(f"{LIST}{pool.pk}/export.csv")
    lines = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))  # type: ignore[attr-defined]
    assert {line["code"] for line in lines} == {one.code for one in found}
    redeemed = next(line for line in lines if line["status"] == "redeemed")
    assert (redeemed["order"], redeemed["contact_name"], redeemed["response_id"]) == (
        "'=1+1", "'@SUM(A1)", str(rows[0].pk),
    )  # fmt: skip
    assert redeemed["redeemed_at"]
    assert "no-store" in answer["Cache-Control"]
    stock = manager.get(f"{LIST}{pool.pk}/export.csv?status=free")
    assert b"".join(stock.streaming_content).count(b"\r\n") == 8  # type: ignore[attr-defined]
    assert manager.get(f"{LIST}{pool.pk}/export.xlsx").status_code == 200
    assert manager.get(f"{LIST}{pool.pk}/export.exe").status_code == 404


@pytest.mark.parametrize(
    ("values", "codes", "said"),
    [
        ({"is_active": False}, 1, "The pool is off"),
        ({"ends_on": "2020-01-01"}, 1, "last day is over"),
        ({}, 0, "There are no codes left"),
        ({"max_issued": 1}, 3, "The budget is used up"),
        ({"kind": "generated", "pattern": "########"}, 0, "made on demand"),
    ],
)
def test_a_pool_that_gives_nothing_says_so_and_what_to_do(
    manager: Client, values: dict[str, Any], codes: int, said: str
) -> None:
    pool = make_pool(codes=codes, **values)
    give(pool, answered(), now=timezone.now())
    page = text_of(manager.get(f"{LIST}{pool.pk}/"))
    assert said in page
    assert not re.search(r"\sstyle=|<style|<script(?![^>]*\ssrc=)|\son[a-z]+=", page)


def test_the_admin_shows_pools_and_lets_nobody_change_a_voucher(manager: Client, user: User) -> None:
    User.objects.update(is_staff=True, is_superuser=True)
    pool = make_pool(codes=2)
    one = Voucher.objects.first()
    assert one is not None
    paths = ["voucherpool/", "voucherpool/add/", f"voucherpool/{pool.pk}/change/", "voucher/?q=sorry"]
    for path in [*paths, f"voucher/{one.pk}/change/"]:
        assert manager.get(f"/admin/incentives/{path}").status_code == 200, path
    posted = {"name": "Renamed", "value_en": "5 €", "is_active": "on", "low_stock": "5"}
    assert manager.post(f"/admin/incentives/voucherpool/{pool.pk}/change/", posted).status_code == 302
    pool.refresh_from_db()
    assert (pool.name, pool.is_low) == ("Renamed", True)
    assert manager.post(f"/admin/incentives/voucher/{one.pk}/change/", {"code": "x"}).status_code == 403
    assert manager.post(f"/admin/incentives/voucherpool/{pool.pk}/delete/", {"post": "yes"}).status_code == 403
