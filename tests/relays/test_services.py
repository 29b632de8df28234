"""Which way a mail takes, when a mail service rests, and whose message its ids are."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.mail import get_connection
from django.db import IntegrityError, transaction
from django_tenants.utils import schema_context

from apps.common import sealed
from apps.relays import services
from apps.relays.esps import ESPS
from apps.relays.models import Relay, RelayState, SentHandle

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
SMTP = {"host": "mail.example.com", "port": 2525, "user": "u", "password": "p", "security": "tls"}


@pytest.fixture(autouse=True)
def inside_a_tenant(tenant: Any) -> None:
    """All of it is called from tenants' schemas and stands in public."""
    Relay.objects.exists()  # The search path is set.


def relay(key: str = "main", **more: Any) -> Relay:
    return Relay.objects.create(**{"key": key, "name": key.title(), "settings": SMTP, **more})


def test_a_key_leads_to_its_active_service() -> None:
    relay()
    route = services.route_of("main")
    assert (route.key, route.kind, route.name) == ("main", "smtp", "Main")
    assert dict(route.options) == {
        "host": "mail.example.com", "port": 2525, "username": "u", "password": "p", "use_tls": True, "use_ssl": False,
        "timeout": 30,
    }  # fmt: skip
    assert get_connection(route.backend, **route.options).host == "mail.example.com"  # type: ignore[attr-defined]
    assert "2525" not in repr(route), "no settings in logs"


@pytest.mark.parametrize("key", ["", "unknown", "off"])
def test_anything_else_leads_to_the_default_and_without_one_to_the_environment(key: str, settings: Any) -> None:
    settings.EMAIL_BACKEND = services.SMTP_BACKEND
    relay("off", is_active=False)
    assert (services.route_of(key).key, services.route_of(key).kind) == ("", "smtp")
    relay("usual", is_default=True)
    assert services.route_of(key).key == "usual"


def test_a_change_counts_at_once_in_the_same_process(django_assert_num_queries: Any) -> None:
    row = relay()
    services.route_of("main")
    with django_assert_num_queries(0):
        services.route_of("main")
    row.settings = {**SMTP, "host": "other.example.com"}
    row.save()
    assert services.route_of("main").options["host"] == "other.example.com"


def test_a_service_whose_settings_cannot_be_read_is_not_passed_by(settings: Any) -> None:
    relay()
    services.forget()
    settings.CREDENTIALS_KEY = "wrong"
    settings.SECRET_KEY = "wrong as well"
    with pytest.raises(sealed.UnreadableError):
        services.route_of("main")


@pytest.mark.parametrize("kind", sorted(ESPS))
@pytest.mark.filterwarnings("ignore:django-anymail has dropped")
def test_every_esp_opens_with_what_its_form_asks_for(kind: str, settings: Any) -> None:
    settings.ANYMAIL = {"MAILGUN_SENDER_DOMAIN": "not.mine.example", "MAILGUN_API_KEY": "not-mine"}
    values = {
        spec.name: "https://api.example.com/" if spec.name == "api_url" else "value"
        for spec in ESPS[kind].settings
        if spec.is_required
    }
    relay(kind=kind, settings=values)
    route = services.route_of("main")
    backend = get_connection(route.backend, **route.options)
    assert (route.kind, route.esp) == ("esp", kind)
    assert getattr(backend, "sender_domain", None) is None
    assert "not-mine" not in str(vars(backend))


def test_kinds_are_all_that_anymail_has() -> None:
    from pathlib import Path

    import anymail.backends

    found = {path.stem for path in Path(anymail.backends.__file__).parent.glob("*.py")}
    assert found - {"__init__", "base", "base_requests", "console", "test", "sendinblue"} == set(ESPS)
    assert set(Relay.Kind.values) == {"smtp", *ESPS}


def test_there_is_one_default_and_the_environment_s_name_is_taken() -> None:
    relay("a", is_default=True)
    for wrong in (
        {"key": "b", "is_default": True},
        {"key": "env"},
        {"key": "c", "kind": "brevo", "webhook_secret": ""},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            relay(**wrong)  # type: ignore[arg-type]


def test_tenants_choose_among_what_is_offered_and_active() -> None:
    relay("a", is_offered=True)
    relay("b")
    relay("c", is_offered=True, is_active=False)
    assert services.choices() == [("a", "A")]


# --- the circuit breaker ------------------------------------------------------------------------


def faults(count: int, now: datetime = NOW, key: str = "main") -> datetime | None:
    ends = [services.note_fault(key=key, error="refused", now=now) for _ in range(count)]
    return ends[-1]


def test_five_faults_in_a_row_open_it_and_a_success_begins_anew() -> None:
    assert faults(4) is None
    services.note_success(key="main")
    assert faults(4) is None
    assert services.resting_until(key="main", now=NOW) is None
    until = faults(1)
    assert until is not None
    assert 24 <= (until - NOW).total_seconds() <= 36
    assert services.resting_until(key="main", now=NOW) == until
    assert services.resting_until(key="other", now=NOW) is None


def test_rests_double_up_to_a_quarter_of_an_hour() -> None:
    now, rests = NOW, []
    faults(4)
    for _ in range(9):
        assert services.resting_until(key="", now=now) is None
        until = services.note_fault(key="main", error="x", now=now)
        assert until is not None
        rests.append((until - now).total_seconds())
        now = until
        assert services.resting_until(key="main", now=now) is None
    assert rests[1] > rests[0] * 1.2
    assert 700 <= rests[-1] <= 900
    assert max(rests) <= 900


def test_after_the_rest_one_process_tries_and_the_others_wait() -> None:
    until = faults(5)
    assert until is not None
    assert services.resting_until(key="main", now=until) is None, "this process has the turn"
    assert services.resting_until(key="main", now=until) is None, "and keeps it"
    services._probes.clear()  # As another process sees it.
    assert services.resting_until(key="main", now=until) == until + services.PROBE
    after = until + services.PROBE
    assert services.resting_until(key="main", now=after) is None, "who had the turn has died: the next one"


def test_the_one_that_tries_ends_the_rest_or_lengthens_it() -> None:
    until = faults(5)
    assert until is not None
    services.resting_until(key="main", now=until)
    again = services.note_fault(key="main", error="still", now=until)
    assert again is not None
    assert again > until
    services.resting_until(key="main", now=again)
    services.note_success(key="main")
    services._probes.clear()
    assert services.resting_until(key="main", now=again) is None
    assert RelayState.objects.get(key="main").faults == 0


def test_faults_of_mails_already_on_their_way_do_not_lengthen_the_rest() -> None:
    until = faults(5)
    assert faults(20) is None
    assert services.resting_until(key="main", now=NOW) == until


def test_no_recipients_address_is_kept_in_public() -> None:
    said = "421 4.7.0 <ada.b+x@mail.example>: later; to=bob@x.example +491701234567 \ud83d\x00"
    services.note_fault(key="main", error=said, now=NOW)
    assert RelayState.objects.get().last_error == "421 4.7.0 <…@mail.example>: later; …@x.example +… ?"


def test_a_success_where_nothing_was_wrong_writes_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1) as queries:
        services.note_success(key="main")
    assert queries.captured_queries[0]["sql"].startswith("SELECT")
    assert not RelayState.objects.exists()


# --- handles ------------------------------------------------------------------------------------


def test_an_id_belongs_to_whoever_s_message_it_was_noted_for_first(django_assert_num_queries: Any) -> None:
    first, second = uuid4(), uuid4()
    with django_assert_num_queries(1):
        services.remember(relay="main", schema_name="nordwind", handles={"<1@x>": first, "2": second}, now=NOW)
    services.remember(relay="main", schema_name="klarwerk", handles={"<1@x>": uuid4()}, now=NOW)
    assert services.owner_of(relay="main", esp_id="<1@x>") == ("nordwind", first)
    assert services.owner_of(relay="main", esp_id="2") == ("nordwind", second)


def test_two_services_may_use_the_same_id() -> None:
    mine, other = uuid4(), uuid4()
    services.remember(relay="", schema_name="nordwind", handles={"1": mine}, now=NOW)
    services.remember(relay="b", schema_name="klarwerk", handles={"1": other}, now=NOW)
    assert services.owner_of(relay="", esp_id="1") == ("nordwind", mine)
    assert services.owner_of(relay="b", esp_id="1") == ("klarwerk", other)
    assert services.owner_of(relay="c", esp_id="1") is None


@pytest.mark.parametrize("wrong", ["", "x" * 201, "a\x00b", "unknown"])
def test_an_id_that_is_none_belongs_to_nobody(wrong: str) -> None:
    services.remember(relay="", schema_name="nordwind", handles={"": uuid4(), "x" * 201: uuid4()}, now=NOW)
    assert services.owner_of(relay="", esp_id=wrong) is None
    assert not SentHandle.objects.exists()


def test_handles_go_after_120_days_in_batches() -> None:
    old: dict[str, UUID] = {str(number): uuid4() for number in range(5)}
    services.remember(relay="", schema_name="nordwind", handles=old, now=NOW - timedelta(days=121))
    services.remember(relay="", schema_name="nordwind", handles={"new": uuid4()}, now=NOW - timedelta(days=119))
    assert services.purge_handles(now=NOW, limit=3) == 3
    assert services.purge_handles(now=NOW, limit=3) == 2
    assert services.purge_handles(now=NOW, limit=3) == 0
    assert list(SentHandle.objects.values_list("esp_id", flat=True)) == ["new"]


def test_nothing_of_it_lands_in_a_tenant_s_schema() -> None:
    from django.db import connection

    relay()
    faults(1)
    services.remember(relay="", schema_name="nordwind", handles={"1": uuid4()}, now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT schemaname FROM pg_tables WHERE tablename LIKE 'relays\\_%%'")
        assert cursor.fetchall() == [("public",)]
    with schema_context("public"):
        assert Relay.objects.count() == RelayState.objects.count() == SentHandle.objects.count() == 1
