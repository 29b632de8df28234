"""Files through the API: sent, looked at, taken, and taken back."""

from typing import Any

import pytest
from django.utils import timezone

from apps.contacts.models import Contact
from apps.integrations.models import Scope
from apps.integrations.services import create_api_key
from apps.transfers import runs, services
from tests.api.calling import call, fields_of

pytestmark = pytest.mark.usefixtures("tenant")
FILE = b"Kundennummer;E-Mail;Tarif\nK-1;a@example.com;gold\nK-2;nobody;\nK-3;;=1+1\n"


def key_for(*scopes: str) -> str:
    return create_api_key(name="t", scopes=list(scopes))[1]


def work() -> None:
    while runs.run_next(now=timezone.now(), clock=timezone.now):
        pass


def sent(key: str, content: bytes = FILE, query: str = "kind=contacts&file_name=list.csv") -> Any:
    return call(key, "POST", f"/imports?{query}", content, content_type="text/csv")


def test_a_file_is_sent_chosen_checked_started_and_undone() -> None:
    key = key_for(Scope.CONTACTS_WRITE, Scope.READ)
    answer = sent(key)
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert (made["status"], made["file_name"]) == ("mapping", "list.csv")
    assert made["mapping"] == ["external_id", "email", "property:tarif"]
    path = f"/imports/{made['id']}"
    chosen = call(key, "PATCH", path, {"mapping": ["external_id", "email", ""], "options": {"existing": "skip"}})
    assert (chosen.status_code, chosen.json()["options"]["existing"]) == (200, "skip")
    assert fields_of(call(key, "PATCH", path, {"mapping": ["email", "email", ""]})) == ["mapping"]
    assert fields_of(call(key, "PATCH", path, {"options": {"is_admin": True}})) == ["options.is_admin"]
    preview = call(key, "GET", f"{path}/preview").json()
    assert preview[0]["values"] == {"external_id": "K-1", "email": "a@example.com"}
    assert preview[1]["problems"] == [{"column": "E-Mail", "message": "This is not an e-mail address."}]
    assert call(key, "POST", f"{path}/check").json()["status"] == "checking"
    assert call(key, "POST", f"{path}/start").status_code == 409
    work()
    assert call(key, "GET", path).json()["created"] == 2
    assert call(key, "POST", f"{path}/start").status_code == 202
    work()
    done = call(key, "GET", path).json()
    assert (done["status"], done["created"], done["bad"], done["percent"]) == ("done", 2, 1, 100)
    errors = call(key, "GET", f"{path}/errors.csv", accept="text/csv")
    assert b"K-2,nobody" in b"".join(errors.streaming_content)
    assert call(key, "POST", f"{path}/undo").status_code == 202
    work()
    assert call(key, "GET", path).json()["undo_result"] == {"deleted": 2, "restored": 0, "kept": {}}
    assert not Contact.objects.exists()
    [listed] = call(key, "GET", "/imports?status=undone").json()["results"]
    assert listed["id"] == made["id"]


@pytest.mark.parametrize(
    ("content", "query", "field"),
    [
        (b"", "kind=contacts", "file"),
        (b"%PDF-1.4", "kind=contacts", "file"),
        (FILE, "kind=passwords", "kind"),
        (FILE, "", "kind"),
        (FILE, "kind=contacts&nonsense=1", "nonsense"),
    ],
)
def test_what_is_no_table_is_refused_by_its_field(content: bytes, query: str, field: str) -> None:
    assert fields_of(sent(key_for(Scope.CONTACTS_WRITE), content, query)) == [field]


def test_a_key_brings_in_only_what_its_scopes_say() -> None:
    contacts, blocker = key_for(Scope.CONTACTS_WRITE), key_for(Scope.SUPPRESSIONS_WRITE)
    assert sent(contacts, query="kind=suppressions").status_code == 403
    assert sent(contacts, query="kind=responses").status_code == 403
    assert sent(key_for(Scope.READ)).status_code == 403
    made = sent(blocker, query="kind=suppressions").json()
    assert call(contacts, "POST", f"/imports/{made['id']}/start").status_code == 403
    assert call(contacts, "POST", f"/imports/{made['id']}/start?kind=contacts").status_code == 403
    assert call(contacts, "GET", f"/imports/{made['id']}").status_code == 403
    assert call(None, "GET", "/imports").status_code == 401


def test_another_tenants_import_is_not_there(other_tenant: Any) -> None:
    from django_tenants.utils import tenant_context

    with tenant_context(other_tenant):
        theirs = services.upload(kind="contacts", file_name="x.csv", parts=[FILE], now=timezone.now())
    key = create_api_key(name="everything")[1]
    path = f"/imports/{theirs.pk}"
    tries = [("GET", ""), ("PATCH", ""), ("GET", "/preview"), ("GET", "/errors.csv")]
    tries += [("POST", f"/{what}") for what in ("check", "start", "cancel", "undo")]
    for method, what in tries:
        assert call(key, method, path + what, {} if method == "PATCH" else None).status_code == 404, (method, what)
    with tenant_context(other_tenant):
        theirs.refresh_from_db()
        assert theirs.status == "mapping"
