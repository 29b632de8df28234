"""Which legal bases count, what proves them, and that nothing leaves without one."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import User
from apps.campaigns.models import StepRun
from apps.campaigns.services import enrol, run_steps
from apps.common.ids import uuid7
from apps.contacts.models import ConsentPolicy, Contact, LegalBasis
from apps.contacts.services import object_to_mail, record_legal_bases, with_legal_basis
from apps.messaging.models import OutgoingEmail
from apps.messaging.sending import send_batch
from apps.responses.models import Response
from apps.surveys.models import Invitation
from apps.surveys.services import dispatch_due
from apps.triggers.models import Decision
from apps.triggers.services import evaluate_events
from tests import factories

pytestmark = pytest.mark.usefixtures("tenant")
BASE = "http://nordwind.resonanz.test"


def basis(contact: Contact, **values: Any) -> LegalBasis:
    return LegalBasis.objects.create(
        **{"contact": contact, "kind": "consent", "source": "form", "granted_at": timezone.now(), **values}
    )


def strict() -> None:
    ConsentPolicy.objects.create(pk=1, requires_double_opt_in=True)


def test_where_the_tenant_says_so_only_confirmed_consent_counts_in_one_query(
    django_assert_max_num_queries: Any,
) -> None:
    plain, clicked, customer = (factories.ContactFactory() for _ in range(3))
    basis(plain)
    basis(clicked, confirmed_at=timezone.now())
    basis(customer, kind="existing_customer")
    ids = [plain.id, clicked.id, customer.id]
    with django_assert_max_num_queries(1):
        assert with_legal_basis(contact_ids=ids) == set(ids)
    strict()
    with django_assert_max_num_queries(1):
        assert with_legal_basis(contact_ids=ids) == {clicked.id, customer.id}


def test_a_confirmed_consent_that_was_taken_back_does_not_count() -> None:
    contact = factories.ContactFactory()
    basis(contact, confirmed_at=timezone.now())
    object_to_mail(contact_id=contact.id, now=timezone.now())
    assert with_legal_basis(contact_ids=[contact.id]) == set()


def test_neither_the_next_purchase_nor_the_same_form_revives_what_was_taken_back() -> None:
    contact = factories.ContactFactory()
    basis(contact)
    object_to_mail(contact_id=contact.id, now=timezone.now())
    again = [
        LegalBasis(contact=contact, kind=kind, source=source, granted_at=timezone.now())
        for kind, source in (("consent", "form"), ("existing_customer", "touchpoint:order"))
    ]
    record_legal_bases(bases=again)
    assert with_legal_basis(contact_ids=[contact.id]) == set()


# --- no legal basis → refused with the reason, wherever something is about to be sent ---


@pytest.fixture
def consenting() -> Contact:
    """Somebody whose consent counts until the tenant asks for the click."""
    factories.house(delay=timedelta(0))
    contact = factories.ContactFactory(external_id="k1", email="ada@x.example")
    basis(contact)
    factories.TouchpointFactory(key="silent", legal_basis="")
    return contact


def happen() -> None:
    rule = factories.TriggerRuleFactory._meta.model.objects.get()
    rule.touchpoints.set([factories.TouchpointFactory(key="silent")])
    factories.EventFactory(
        touchpoint=factories.TouchpointFactory(key="silent"),
        contact_data={"external_id": "k1", "email": "ada@x.example"},
    )
    evaluate_events(now=timezone.now())


def test_40_a_rule_decides_against_it(consenting: Contact) -> None:
    strict()
    happen()
    decision = Decision.objects.get()
    assert (decision.status, decision.reason) == ("blocked", "no_legal_basis")
    assert not Invitation.objects.exists()


def test_40_dispatch_refuses_it(consenting: Contact) -> None:
    happen()
    strict()
    dispatch_due(now=timezone.now() + timedelta(seconds=1), base_url=BASE)
    row = Invitation.objects.get()
    assert (row.status, row.status_reason) == ("revoked", "no_legal_basis")
    assert not OutgoingEmail.objects.exists()


def test_40_the_outbox_refuses_it(consenting: Contact) -> None:
    happen()
    dispatch_due(now=timezone.now() + timedelta(seconds=1), base_url=BASE)
    strict()
    send_batch(now=timezone.now() + timedelta(seconds=2))
    mail = OutgoingEmail.objects.get()
    assert (mail.status, mail.last_error) == ("revoked", "no_legal_basis")


def test_40_a_campaigns_step_is_skipped(consenting: Contact) -> None:
    strict()
    now = timezone.now()
    Response.objects.create(
        id=uuid7(), survey=factories.SurveyFactory(), contact=consenting, score=9, answered_at=now, updated_at=now,
        follow_up_at=now,
    )  # fmt: skip
    enrol(now=now)
    run_steps(now=now, base_url=BASE)
    run = StepRun.objects.get()
    assert (run.status, run.reason) == ("skipped", "no_legal_basis")


# --- what is entered by hand ---


@pytest.fixture
def client() -> Client:
    client = Client(headers={"host": "nordwind.resonanz.test"})
    client.force_login(
        User.objects.create_superuser("chief", "chief@example.com"),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    return client


def enter(client: Client, contact: Contact, *rows: dict[str, Any], initial: int = 0) -> str:
    """Save the contact's page with these legal bases; returns what it says."""
    data: dict[str, Any] = {"name": "Ada", "email": contact.email, "properties": "{}"}
    for prefix, found, before in (("legal_bases", rows, initial), ("preference", (), 0)):
        data |= {f"{prefix}-TOTAL_FORMS": len(found), f"{prefix}-INITIAL_FORMS": before}
        data |= {f"{prefix}-{n}-{name}": value for n, row in enumerate(found) for name, value in row.items()}
    return client.post(f"/admin/contacts/contact/{contact.pk}/change/", data).content.decode()


CUSTOMER = {"kind": "existing_customer", "source": "shop", "granted_at_0": "2026-01-02", "granted_at_1": "10:00"}


def test_the_exception_for_customers_needs_source_and_notice(client: Client) -> None:
    contact = factories.ContactFactory()
    assert "without it nothing is proven" in enter(client, contact, CUSTOMER)
    assert "This field is required" in enter(client, contact, {**CUSTOMER, "source": "", "wording": "Notice"})
    assert not LegalBasis.objects.exists()
    enter(client, contact, {**CUSTOMER, "text_version": "2026-01"})
    assert LegalBasis.objects.get().text_version == "2026-01"


def test_what_has_ended_is_not_opened_again_by_hand(client: Client) -> None:
    contact = factories.ContactFactory()
    row = basis(contact, kind="existing_customer", source="shop", wording="Notice", revoked_at=timezone.now())
    same = {**CUSTOMER, "id": row.pk, "contact": str(contact.pk), "wording": "Notice", "revoked_at_0": ""}
    assert "This one has ended" in enter(client, contact, same, initial=1)
    row.refresh_from_db()
    assert row.revoked_at is not None


def test_what_was_confirmed_by_a_click_is_not_reworded_by_hand(client: Client) -> None:
    contact = factories.ContactFactory()
    row = basis(contact, wording="Yes, write to me.", confirmed_at=timezone.now())
    other = {**CUSTOMER, "id": row.pk, "contact": str(contact.pk), "kind": "consent", "wording": "Everything, always."}
    enter(client, contact, other, initial=1)
    row.refresh_from_db()
    assert (row.wording, row.source) == ("Yes, write to me.", "form")


def test_the_list_shows_the_proof(client: Client) -> None:
    row = basis(factories.ContactFactory(), wording="Yes, write to me.", confirmed_at=timezone.now())
    assert client.get("/admin/contacts/legalbasis/").status_code == 200
    page = client.get(f"/admin/contacts/legalbasis/{row.pk}/change/").content.decode()
    assert "Yes, write to me." in page


def test_a_telephone_number_is_kept_international_by_the_contacts_country(client: Client) -> None:
    contact = factories.ContactFactory()
    data = {"name": "Ada", "email": contact.email, "properties": "{}", "country": "AT", "phone": "0664 1234567"}
    empty = {f"{p}-{n}_FORMS": 0 for p in ("legal_bases", "preference") for n in ("TOTAL", "INITIAL")}
    client.post(f"/admin/contacts/contact/{contact.pk}/change/", {**data, **empty})
    contact.refresh_from_db()
    assert contact.phone == "+436641234567"
    wrong = client.post(f"/admin/contacts/contact/{contact.pk}/change/", {**data, **empty, "phone": "12"})
    assert "Write the number with its country" in wrong.content.decode()


def test_who_objects_before_there_was_any_basis_gets_none_from_the_next_purchase(tenant: Any) -> None:
    contact = factories.ContactFactory()
    LegalBasis.objects.all().delete()
    object_to_mail(contact_id=contact.id, now=timezone.now())
    purchase = LegalBasis(contact=contact, kind="existing_customer", source="order", granted_at=timezone.now())
    record_legal_bases(bases=[purchase])
    assert with_legal_basis(contact_ids=[contact.id]) == set()
    consent = LegalBasis(contact=contact, kind="consent", source="form", granted_at=timezone.now())
    record_legal_bases(bases=[consent])
    assert with_legal_basis(contact_ids=[contact.id]) == {contact.id}
