"""What a tenant's staff configures, and what is refused with a sentence instead of an error page."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.utils import timezone
from django_tenants.utils import schema_context

from apps.accounts.models import User
from apps.common.tokens import hash_token
from apps.contacts.models import BusinessCalendar, Contact, ContactBudget
from apps.integrations.admin.keys import ApiKeyAdmin
from apps.integrations.models import ApiKey
from apps.integrations.services import authenticate, create_api_key
from apps.messaging.models import OutgoingEmail, Sender, Suppression
from apps.messaging.suppressions import suppressed
from apps.surveys.models import Invitation, Survey, Theme
from apps.touchpoints.models import Stage
from apps.triggers.models import TriggerRule
from apps.triggers.services import evaluate_events
from tests import factories
from tests.admin.conftest import NOW, TENANT, client_for, configure, run_flow


def errors(answer: Any) -> str:
    """All that a form page complains about."""
    assert answer.status_code == 200, answer.headers
    form = answer.context["adminform"].form
    inlines = [one.formset for one in answer.context["inline_admin_formsets"]]
    return " ".join(str(found) for found in [form.errors, *[(one.errors, one.non_form_errors()) for one in inlines]])


def inline(prefix: str, *rows: dict[str, Any], initial: int = 0) -> dict[str, Any]:
    data: dict[str, Any] = {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": initial}
    for number, row in enumerate(rows):
        data |= {f"{prefix}-{number}-{key}": value for key, value in row.items()}
    return data


# --- journey and rules ---


def test_a_text_has_one_input_per_language(client: Client) -> None:
    page = client.get("/admin/touchpoints/stage/add/").content.decode()
    assert 'name="name_en"' in page
    assert 'name="name_de"' in page
    assert 'class="texts"' in page
    client.post("/admin/touchpoints/stage/add/", {"key": "buy", "name_en": "Buying", "name_de": "Kauf", "position": 1})
    assert Stage.objects.get().name == {"en": "Buying", "de": "Kauf"}


def test_a_sub_step_stands_after_its_stage_and_has_none_itself(client: Client) -> None:
    buy = Stage.objects.create(key="buy", name={"en": "Buy"}, position=1)
    use = Stage.objects.create(key="use", name={"en": "Use"}, position=2)
    url, values = "/admin/touchpoints/stage/add/", {"key": "pay", "name_en": "Pay", "parent": buy.pk, "position": 9}
    assert client.post(url, values).status_code == 302
    pay = Stage.objects.get(key="pay")
    assert list(Stage.objects.values_list("key", "position")) == [("buy", 1), ("pay", 2), ("use", 3)]
    assert "Buy" in client.get("/admin/touchpoints/stage/").content.decode()
    for row, parent in ((buy, use), (buy, buy), (use, pay)):
        values = {"key": row.key, "name_en": "X", "parent": parent.pk, "position": 1}
        answer = client.post(f"/admin/touchpoints/stage/{row.pk}/change/", values)
        assert answer.status_code == 200, (row, parent)
    assert set(Stage.objects.exclude(parent=None)) == {pay}


def test_a_text_in_no_language_is_refused(client: Client) -> None:
    answer = client.post("/admin/touchpoints/stage/add/", {"key": "buy", "name_en": "", "name_de": "", "position": 1})
    assert "This field is required" in errors(answer)


def test_a_rule_reads_as_a_sentence_in_the_list(client: Client) -> None:
    configure(1)
    assert "3 days after Place 1, ask Survey 1" in client.get("/admin/triggers/triggerrule/").content.decode()


def rule_data(**changes: Any) -> dict[str, Any]:
    touchpoint, survey, _rule, _campaign = configure(1)
    data = {"name": "New", "touchpoints": [touchpoint.pk], "survey": survey.pk, "wait": "duration"}
    data |= {"delay": "90 minutes"}
    limits = {"working_days": 3, "morning_at": "09:00", "percent": 100, "condition": "{}", "windows": "[]"}
    return {**data, **limits, "expires_after": "14 days", "priority": 0, "is_active": "on", **changes}


def test_a_rules_delay_is_written_and_shown_in_words(client: Client) -> None:
    client.post("/admin/triggers/triggerrule/add/", rule_data())
    rule = TriggerRule.objects.get(name="New")
    assert rule.delay == timedelta(minutes=90)
    assert 'value="90 minutes"' in client.get(f"/admin/triggers/triggerrule/{rule.pk}/change/").content.decode()


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"delay": "soon"}, "number and a unit"),
        ({"delay": "3 years"}, "number and a unit"),
        ({"delay": "731 days"}, "between nothing and two years"),
        ({"expires_after": "0 days"}, "more than nothing"),
    ],
)
def test_a_bad_delay_is_refused_at_the_form(client: Client, changes: dict[str, str], complaint: str) -> None:
    answer = client.post("/admin/triggers/triggerrule/add/", rule_data(**changes))
    assert complaint in errors(answer)
    assert not TriggerRule.objects.filter(name="New").exists()


@pytest.mark.parametrize("by_action", [False, True])
def test_a_deleted_rule_takes_along_what_it_has_planned(client: Client, by_action: bool) -> None:
    rule = factories.TriggerRuleFactory()
    factories.EventFactory()
    evaluate_events(now=timezone.now())
    path = "/admin/triggers/triggerrule/"
    if by_action:
        client.post(path, {"action": "delete_selected", "_selected_action": [rule.pk], "post": "yes"})
    else:
        client.post(f"{path}{rule.pk}/delete/", {"post": "yes"})
    assert not TriggerRule.objects.exists()
    assert Invitation.objects.get().status == "revoked"


# --- surveys ---

NPS = {"key": "nps", "kind": "nps", "text_en": "How likely?", "position": 0}
COMMENT = {"key": "why", "kind": "comment", "text_en": "Why?", "position": 1}
SURVEY = {"key": "order", "name_en": "Order", "is_active": "on", "min_days_between": 0}


def test_a_survey_is_made_with_its_questions(client: Client) -> None:
    parts = {**inline("questions", NPS, COMMENT), **inline("thanks"), **inline("reminders")}
    client.post("/admin/surveys/survey/add/", {**SURVEY, **parts})
    assert list(Survey.objects.get().questions.values_list("key", flat=True)) == ["nps", "why"]


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ([], "begin with recommendation, satisfaction or effort"),
        ([COMMENT], "The first question asks for recommendation, satisfaction or effort"),
        ([NPS, {**NPS, "key": "again"}], "at most one recommendation question"),
        ([NPS, COMMENT, {**COMMENT, "key": "again"}], "at most one comment question"),
        ([NPS, {**COMMENT, "key": "nps"}], "already has the key"),
    ],
)
def test_questions_that_do_not_go_together_are_refused(client: Client, rows: list[Any], complaint: str) -> None:
    data = {**SURVEY, **inline("questions", *rows), **inline("thanks"), **inline("reminders")}
    answer = client.post("/admin/surveys/survey/add/", data)
    assert complaint in errors(answer)
    assert not Survey.objects.exists()


# --- tables of one row ---


BUDGET = {"min_days_between": 20, "company_days": 30, "days_after_response": 0, "days_after_decline": 30}


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("contacts/contactbudget", BUDGET),
        ("contacts/businesscalendar", {"time_zone": "Europe/Berlin", "country": "DE"}),
        ("surveys/theme", {"brand_name": "N", "accent": "#0f766e"}),
    ],
)
def test_a_table_of_one_row_leads_straight_to_it(client: Client, path: str, data: dict[str, Any]) -> None:
    assert client.get(f"/admin/{path}/").headers["Location"] == f"/admin/{path}/add/"
    client.post(f"/admin/{path}/add/", data)
    assert client.get(f"/admin/{path}/").headers["Location"] == f"/admin/{path}/1/change/"
    assert client.get(f"/admin/{path}/add/").status_code == 403
    assert client.post(f"/admin/{path}/1/delete/", {"post": "yes"}).status_code == 403
    kept = ContactBudget.objects.count() + BusinessCalendar.objects.count() + Theme.objects.count()
    assert kept == 1


def test_whoever_may_not_see_the_row_is_not_led_to_it(tenant: Any) -> None:
    user = User.objects.create_user("reader", is_staff=True)
    assert client_for(user, TENANT).get("/admin/surveys/theme/").status_code == 403


# --- mail ---


def test_a_second_default_sender_is_refused_at_the_form(client: Client) -> None:
    Sender.objects.create(name="A", email="a@example.com", is_default=True)
    data = {"name": "B", "email": "b@example.com", "is_default": "on"}
    assert "Another sender is the default already" in errors(client.post("/admin/messaging/sender/add/", data))


def test_an_address_can_be_blocked_by_hand_once(client: Client) -> None:
    data = {"email": " Anna@Example.com ", "source": "phone call"}
    client.post("/admin/messaging/suppression/add/", data)
    row = Suppression.objects.get()
    assert (row.email, row.reason) == ("anna@example.com", Suppression.Reason.MANUAL)
    assert suppressed(emails=["ANNA@example.com"]) == {"ANNA@example.com"}
    assert "blocked already" in errors(client.post("/admin/messaging/suppression/add/", data))


def test_no_block_is_deleted_an_own_entry_is_lifted_with_a_reason(client: Client) -> None:
    run_flow(1)
    objection = Suppression.objects.get()
    client.post("/admin/messaging/suppression/add/", {"email": "b@example.com", "source": "x"})
    own = Suppression.objects.get(email="b@example.com")
    for row in (objection, own):
        assert client.post(f"/admin/messaging/suppression/{row.pk}/delete/", {"post": "yes"}).status_code == 403
    path = f"/admin/messaging/suppression/lift/?ids={own.pk},{objection.pk}"
    assert "This field is required" in client.post(path, {"because": " "}).content.decode()
    told = client.post(path, {"because": "a mistake"}, follow=True).content.decode()
    assert "1 address is free again" in told
    assert "1 address stays blocked" in told
    own.refresh_from_db()
    assert (own.lifted_because, own.lifted_by) == ("a mistake", "chief")
    assert Suppression.objects.get(lifted_at=None) == objection


def test_a_sent_mail_is_shown_without_its_personal_links(client: Client) -> None:
    run_flow(1)
    mail = OutgoingEmail.objects.get()
    page = client.get(f"/admin/messaging/outgoingemail/{mail.pk}/change/").content.decode()
    assert "https://nordwind.resonanz.test/s/…" in page
    assert "SECRETTOKEN" not in page


# --- contacts ---


def test_a_contact_without_identity_is_refused(client: Client) -> None:
    data = {"name": "X", "properties": "{}", **inline("legal_bases"), **inline("preference")}
    assert "external id or an e-mail" in errors(client.post("/admin/contacts/contact/add/", data))
    client.post("/admin/contacts/contact/add/", {**data, "email": "Anna@Example.com"})
    assert Contact.objects.get().email == "anna@example.com"


# --- API keys ---


def test_a_new_key_is_shown_once_and_never_its_hash(client: Client) -> None:
    answer = client.post("/admin/integrations/apikey/add/", {"name": "Shop", "scopes": ["events:write"]})
    key = answer.context["key"]
    assert answer.status_code == 200
    assert key in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    row = ApiKey.objects.get()
    assert bytes(row.key_hash) == hash_token(key)
    assert row.scopes == ["events:write"]
    for path in ("", f"{row.pk}/change/", f"{row.pk}/history/"):
        page = client.get(f"/admin/integrations/apikey/{path}").content.decode()
        assert key not in page
        assert key[15:-4] not in page
        assert hash_token(key).hex() not in page
    assert not LogEntry.objects.filter(change_message__contains=key).exists()


def test_a_write_key_that_may_do_more_is_refused_and_what_was_typed_stays(client: Client) -> None:
    answer = client.post("/admin/integrations/apikey/add/", {"name": "Shop", "kind": "wk", "scopes": ["read"]})
    assert "only bring events and contacts in" in errors(answer)
    assert 'value="Shop"' in answer.content.decode()


def test_a_key_is_replaced_and_its_successor_shown_once(client: Client) -> None:
    row, old = create_api_key(name="Shop")
    path = f"/admin/integrations/apikey/{row.pk}/replace/"
    assert client.get(path).status_code == 200
    assert ApiKey.objects.count() == 1
    assert "less than or equal to 90" in client.post(path, {"days": "91"}).content.decode()
    answer = client.post(path, {"days": "1"})
    assert "no-store" in answer.headers["Cache-Control"]
    key = answer.context["key"]
    now = timezone.now()
    assert authenticate(key=key, now=now) is not None
    assert authenticate(key=old, now=now) is not None
    assert authenticate(key=old, now=now + timedelta(days=2)) is None
    assert "successor" in client.post(path, {"days": "1"}).content.decode()
    assert client.get("/admin/integrations/apikey/999/replace/").status_code == 404


def test_a_key_that_has_expired_already_is_refused(client: Client) -> None:
    data = {"name": "Shop", "scopes": ["read"], "expires_at_0": "2020-01-01", "expires_at_1": "00:00:00"}
    assert "in the past" in errors(client.post("/admin/integrations/apikey/add/", data))


def test_keys_are_revoked_by_an_action_and_stay_in_the_list(client: Client) -> None:
    row, key = create_api_key(name="Shop")
    assert authenticate(key=key, now=NOW) is not None
    client.post("/admin/integrations/apikey/", {"action": "revoke", "_selected_action": [row.pk]})
    assert authenticate(key=key, now=NOW) is None
    assert "revoked" in client.get("/admin/integrations/apikey/").content.decode()
    assert client.post(f"/admin/integrations/apikey/{row.pk}/change/", {"name": "X"}).status_code == 403
    assert client.post(f"/admin/integrations/apikey/{row.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_changed_key_works_as_changed_at_once(client: Client) -> None:
    row, key = create_api_key(name="Shop")
    assert authenticate(key=key, now=NOW) is not None
    client.post(f"/admin/integrations/apikey/{row.pk}/change/", {"name": "Shop", "scopes": ["read"]})
    ref = authenticate(key=key, now=NOW)
    assert ref is not None
    assert ref.scopes == {"read"}


def test_a_key_that_is_revoked_while_it_is_changed_stays_revoked(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, key = create_api_key(name="Shop")
    save = ApiKeyAdmin.save_model

    def save_too_late(*args: Any, **kwargs: Any) -> None:
        ApiKey.objects.filter(pk=row.pk).update(revoked_at=NOW)
        save(*args, **kwargs)

    monkeypatch.setattr(ApiKeyAdmin, "save_model", save_too_late)
    client.post(f"/admin/integrations/apikey/{row.pk}/change/", {"name": "Web shop", "scopes": ["read"]})
    row.refresh_from_db()
    assert (row.name, row.scopes, row.revoked_at) == ("Web shop", ["read"], NOW)
    assert authenticate(key=key, now=NOW) is None


def test_whoever_may_only_look_at_keys_cannot_revoke_them(tenant: Any) -> None:
    row, key = create_api_key(name="Shop")
    user = User.objects.create_user("reader", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_apikey"))
    client_for(user, TENANT).post("/admin/integrations/apikey/", {"action": "revoke", "_selected_action": [row.pk]})
    assert authenticate(key=key, now=NOW) is not None


# --- people ---


@pytest.fixture
def helper(tenant: Any) -> Client:
    """Somebody who may edit users, and is no superuser."""
    user = User.objects.create_user("helper", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="accounts"))
    return client_for(user, TENANT)


def test_whoever_edits_users_cannot_make_superusers_or_hand_out_roles(helper: Client) -> None:
    user = User.objects.create_user("new")
    group = Group.objects.create(name="Everything")
    data = {"username": "new", "is_active": "on", "is_staff": "on", "is_superuser": "on", "groups": [group.pk]}
    helper.post(f"/admin/accounts/user/{user.pk}/change/", data)
    user.refresh_from_db()
    assert (user.is_staff, user.is_superuser) == (True, False)
    assert not user.groups.exists()


@pytest.mark.parametrize("path", ["change/", "password/", "delete/"])
def test_whoever_edits_users_cannot_touch_a_superuser(helper: Client, admin_user: User, path: str) -> None:
    data = {"username": "chief", "password1": "correct horse", "password2": "correct horse", "post": "yes"}
    assert helper.post(f"/admin/accounts/user/{admin_user.pk}/{path}", data).status_code == 403
    assert User.objects.get(pk=admin_user.pk).password == admin_user.password


def test_a_user_gets_a_password_and_a_role(client: Client) -> None:
    group = Group.objects.create(name="Analysts")
    data = {"username": "anna", "usable_password": "true", "password1": "correct horse", "password2": "correct horse"}
    client.post("/admin/accounts/user/add/", data)
    user = User.objects.get(username="anna")
    client.post(
        f"/admin/accounts/user/{user.pk}/change/", {"username": "anna", "is_active": "on", "groups": [group.pk]}
    )
    assert list(user.groups.all()) == [group]
    assert user.check_password("correct horse")


def test_a_role_is_made_of_rights_over_what_the_admin_shows(client: Client) -> None:
    page = client.get("/admin/auth/group/add/").content.decode()
    assert "Surveys: change" in page
    assert "Session" not in page
    right = Permission.objects.get(codename="change_survey")
    client.post("/admin/auth/group/add/", {"name": "Editors", "permissions": [right.pk]})
    assert list(Group.objects.get().permissions.all()) == [right]


def test_content_types_are_remembered_per_schema(tenant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # As when another thread fills the memory after our own switch emptied it.
    ContentType.objects.clear_cache()
    monkeypatch.setattr(ContentType.objects, "clear_cache", lambda: None)
    ContentType.objects.create(id=90_001, app_label="accounts", model="thing")
    with schema_context("public"):
        ContentType.objects.create(id=90_002, app_label="accounts", model="thing")
        assert ContentType.objects.get_by_natural_key("accounts", "thing").pk == 90_002
    assert ContentType.objects.get_by_natural_key("accounts", "thing").pk == 90_001
    with schema_context("public"):
        assert ContentType.objects.get_by_natural_key("accounts", "thing").pk == 90_002
        with pytest.raises(ContentType.DoesNotExist):
            ContentType.objects.get_for_id(90_001)
    monkeypatch.undo()
    ContentType.objects.clear_cache()


def test_what_was_done_is_in_the_tenants_log(client: Client) -> None:
    client.post("/admin/touchpoints/stage/add/", {"key": "buy", "name_en": "Buying", "position": 1})
    entry = LogEntry.objects.get()
    assert entry.get_edited_object() == Stage.objects.get()
    with schema_context("public"):
        assert not LogEntry.objects.exists()
