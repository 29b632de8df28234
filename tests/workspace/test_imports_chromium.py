"""An import in a browser: the file, its columns, how far it is, and that no policy has anything against it."""

from datetime import datetime
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, expect

from apps.accounts.models import User
from apps.contacts.models import Contact
from apps.transfers import runs
from apps.transfers.models import Import
from tests.browsing import base, chromium, complaints_of, database
from tests.workspace.conftest import HOST

pytestmark = pytest.mark.chromium
__all__ = ["base", "chromium", "database"]


def test_a_file_is_uploaded_and_watched_until_it_is_taken(
    base: str, chromium: Browser, now: datetime, tmp_path: Path
) -> None:
    client = Client(headers={"host": HOST})
    client.force_login(User.objects.create_superuser("chief"))
    context = chromium.new_context(viewport={"width": 390, "height": 844}, locale="en-GB")
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "domain": HOST, "path": "/"}
    context.add_cookies([cookie])  # type: ignore[list-item]
    page = context.new_page()
    complaints = complaints_of(page)
    file = tmp_path / "people.csv"
    file.write_text("E-Mail,Name,Plan\nada@x.example,Ada,pro\nnobody,Bob,free\n")

    page.goto(f"{base}/imports/new/")
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("This is not an e-mail address.")).to_be_visible()
    expect(page.get_by_label("Plan", exact=True)).to_have_value("property")
    expect(page.get_by_label("Name of the property").nth(2)).to_be_visible()
    page.get_by_label("Plan", exact=True).select_option("")
    expect(page.get_by_label("Name of the property").nth(2)).to_be_hidden()
    page.get_by_role("button", name="Import now").click()
    expect(page.get_by_text("Waits for a worker.")).to_be_visible()
    watched = Import.objects.filter(status="running")
    watched.update(rows_done=1, rows_total=2, position=20)
    expect(page.get_by_text("1 row of 2")).to_be_visible()
    page.reload()
    expect(page.get_by_text("1 row of 2")).to_be_visible()
    watched.update(rows_done=0, position=watched.get().start_position)
    assert runs.run_next(now=timezone.now(), clock=timezone.now)
    expect(page.get_by_text("What was taken")).to_be_visible()
    assert Contact.objects.get().name == "Ada"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert [text for text in complaints if "Cross-Origin-Opener-Policy" not in text] == []
    context.close()
