"""May we send in a domain's name? Asked of a real name server on loopback."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import dns.resolver
import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django_tenants.utils import schema_context

from apps.messaging import dns_findings, sender_domains
from apps.messaging.dns_findings import State, Wanted
from apps.messaging.models import Sender, SenderDomain
from apps.relays.models import Relay
from tests.admin.conftest import TENANT, client_for
from tests.messaging.nameserver import serving

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DKIM_KEY = "v=DKIM1; k=rsa; p=" + "A" * 360


@pytest.fixture
def sender(tenant: Any) -> Sender:
    Relay.objects.create(
        key="main", name="Main", is_default=True, is_offered=True, spf_include="spf.esp.example", dkim_selector="rz1",
        dkim_target="rz1.{domain}.esp.example", return_path_target="return.esp.example",
    )  # fmt: skip
    return Sender.objects.create(name="Kaffee", email="hallo@kaffee.example", is_default=True)


def good_zone(domain: str = "kaffee.example") -> dict[tuple[str, str], list[str]]:
    return {
        (f"_resonanz.{domain}", "TXT"): [sender_domains.wanted_of(domain).proof],
        (domain, "TXT"): ["google-site-verification=x", "v=spf1 include:spf.esp.example -all"],
        ("spf.esp.example", "TXT"): ["v=spf1 ip4:192.0.2.0/24 -all"],
        (f"rz1._domainkey.{domain}", "CNAME"): [f"rz1.{domain}.esp.example"],
        (f"bounces.{domain}", "CNAME"): ["return.esp.example"],
        (f"_dmarc.{domain}", "TXT"): ["v=DMARC1; p=quarantine; rua=mailto:d@kaffee.example"],
    }


def look(
    zone: dict[tuple[str, str], list[str]], row: SenderDomain | None = None, now: datetime = NOW
) -> dict[str, str]:
    row = row or SenderDomain.objects.get_or_create(domain="kaffee.example")[0]
    with serving(zone) as resolver:
        sender_domains.check(row=row, now=now, resolver=resolver)
    return {finding["record"]: finding["state"] for finding in row.findings}


def test_a_domain_with_everything_in_place_is_verified(sender: Sender) -> None:
    assert not sender_domains.verified("kaffee.example")
    assert set(look(good_zone()).values()) == {"ok"}
    assert sender_domains.verified("Kaffee.Example")
    row = SenderDomain.objects.get()
    assert (row.verified_at, row.checked_at) == (NOW, NOW)


@pytest.mark.parametrize(
    ("missing", "is_verified"),
    [
        (["_resonanz.kaffee.example"], False),
        (["rz1._domainkey.kaffee.example"], False),
        (["_dmarc.kaffee.example"], False),
        (["kaffee.example"], True),
        (["bounces.kaffee.example"], True),
        (["kaffee.example", "bounces.kaffee.example"], False),
    ],
)
def test_the_rule(sender: Sender, missing: list[str], is_verified: bool) -> None:
    zone = {key: value for key, value in good_zone().items() if key[0] not in missing}
    states = look(zone)
    assert list(states.values()).count("missing") == len(missing)
    assert sender_domains.verified("kaffee.example") is is_verified


def test_a_domain_that_loses_a_record_is_no_longer_verified(sender: Sender) -> None:
    look(good_zone())
    look({key: value for key, value in good_zone().items() if "_dmarc" not in key[0]}, now=NOW + timedelta(days=1))
    assert not sender_domains.verified("kaffee.example")


def test_another_tenant_s_domain_cannot_be_taken_though_its_dns_lets_the_service_send(sender: Sender) -> None:
    zone = good_zone()
    assert look(zone)["owner"] == "ok"
    with schema_context("klarwerk"):
        Sender.objects.create(name="Thief", email="hallo@kaffee.example", is_default=True)
        states = look(zone)
        assert states["owner"] == "different"
        assert not sender_domains.verified("kaffee.example")


def test_a_dns_that_does_not_answer_takes_no_verification_away_and_costs_bounded_time(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    look(good_zone())
    monkeypatch.setattr(sender_domains, "QUERY_SECONDS", 0.3)
    monkeypatch.setattr(sender_domains, "TOTAL_SECONDS", 1.0)
    begun = time.monotonic()
    silent = {(name, "silent"): ["x"] for name, _kind in good_zone()}
    states = look(silent, now=NOW + timedelta(days=1))  # type: ignore[arg-type]
    assert time.monotonic() - begun < 3
    assert "unanswered" in states.values()
    assert sender_domains.verified("kaffee.example")
    assert SenderDomain.objects.get().checked_at == NOW + timedelta(days=1)


def test_wrong_records_are_told_from_missing_ones_and_the_right_value_is_given(sender: Sender) -> None:
    zone = good_zone()
    zone["kaffee.example", "TXT"] = ["v=spf1 mx include:_spf.google.com ~all"]
    zone["rz1._domainkey.kaffee.example", "CNAME"] = ["elsewhere.example"]
    zone["_dmarc.kaffee.example", "TXT"] = ["v=DMARC1; rua=mailto:x@y.example"]
    states = look(zone)
    assert (states["spf"], states["dkim"], states["dmarc"]) == ("different", "different", "different")
    by_record = {finding["record"]: finding for finding in SenderDomain.objects.get().findings}
    assert by_record["spf"]["value"] == "v=spf1 include:spf.esp.example mx include:_spf.google.com ~all"
    assert by_record["dkim"]["value"] == "rz1.kaffee.example.esp.example"
    assert by_record["dkim"]["found"] == ["elsewhere.example"]


def test_several_spf_records_are_none(sender: Sender) -> None:
    zone = good_zone()
    zone["kaffee.example", "TXT"] = ["v=spf1 mx ~all", "v=spf1 include:a.example mx -all"]
    assert look(zone)["spf"] == "several"
    value = next(finding["value"] for finding in SenderDomain.objects.get().findings if finding["record"] == "spf")
    assert value.startswith("v=spf1 include:spf.esp.example ")
    assert sorted(value.split()[2:-1]) == ["include:a.example", "mx"]
    assert value.endswith("all")
    assert value.count("all") == 1


def test_an_include_may_stand_deeper_and_loops_end(sender: Sender) -> None:
    zone = good_zone()
    zone["kaffee.example", "TXT"] = ["v=spf1 include:a.example ~all"]
    zone["a.example", "TXT"] = ["v=spf1 include:b.example include:kaffee.example ~all"]
    zone["b.example", "TXT"] = ["v=spf1 include:a.example redirect=spf.esp.example"]
    assert look(zone)["spf"] == "ok"


def test_more_than_ten_lookups_are_too_many_and_an_endless_chain_is_not_followed(sender: Sender) -> None:
    zone = good_zone()
    zone["kaffee.example", "TXT"] = ["v=spf1 include:spf.esp.example include:n0.example ~all"]
    for number in range(60):
        zone[f"n{number}.example", "TXT"] = [f"v=spf1 a mx include:n{number + 1}.example ~all"]
    row = SenderDomain.objects.create(domain="kaffee.example")
    with serving(zone) as resolver:
        sender_domains.check(row=row, now=NOW, resolver=resolver)
        assert len(resolver.asked) < 30  # type: ignore[attr-defined]
    assert {finding["record"]: finding["state"] for finding in row.findings}["spf"] == "too_many_lookups"


def test_a_dkim_key_in_a_text_record_is_compared_without_spaces(sender: Sender) -> None:
    Relay.objects.update(dkim_target="", dkim_value=DKIM_KEY)
    zone = good_zone()
    zone["rz1._domainkey.kaffee.example", "TXT"] = [DKIM_KEY.replace("p=AAAA", "p=AA AA")]
    assert look(zone)["dkim"] == "ok"
    zone["rz1._domainkey.kaffee.example", "TXT"] = ["v=DKIM1; p="]
    assert look(zone)["dkim"] == "different", "a revoked key"


def test_a_policy_of_the_domain_above_holds_for_the_one_below(sender: Sender) -> None:
    wanted = Wanted(domain="news.kaffee.example", proof="p")
    answers: dict[Any, Any] = {("_dmarc.news.kaffee.example", "TXT"): []}
    assert ("_dmarc.kaffee.example", "TXT") in dns_findings.questions(wanted, answers)
    answers["_dmarc.kaffee.example", "TXT"] = ["v=DMARC1; p=reject"]
    found = {finding.record: finding for finding in dns_findings.findings(wanted, answers)}
    assert (found["dmarc"].state, found["dmarc"].host) == (State.OK, "_dmarc.kaffee.example")
    assert not any(name == "_dmarc.example" for name, _kind in dns_findings.questions(wanted, {}))


def test_without_word_from_the_operator_a_domain_is_not_verified(tenant: Any) -> None:
    Sender.objects.create(name="Kaffee", email="hallo@kaffee.example")
    states = look(good_zone())
    assert states["dkim"] == "unknown"
    assert not sender_domains.verified("kaffee.example")


def test_the_environment_says_it_for_its_own_service(tenant: Any, settings: Any) -> None:
    settings.MAIL_DNS = {
        "spf_include": "spf.esp.example", "dkim_selector": "rz1", "dkim_target": "rz1.{domain}.esp.example",
    }  # fmt: skip
    Sender.objects.create(name="Kaffee", email="hallo@kaffee.example")
    look(good_zone())
    assert sender_domains.verified("kaffee.example")


# --- every day ----------------------------------------------------------------------------------


def test_domains_are_looked_at_when_new_and_then_every_day(sender: Sender) -> None:
    assert sender_domains.next_check_due() is None
    sender_domains.register(domain="Kaffee.example", now=NOW)
    due = sender_domains.next_check_due()
    assert due is not None
    assert due < NOW
    with serving(good_zone()) as resolver:
        assert sender_domains.check_next(now=NOW, resolver=resolver) == 1
        assert sender_domains.check_next(now=NOW, resolver=resolver) == 0
        assert sender_domains.next_check_due() == NOW + timedelta(days=1)
        assert sender_domains.check_next(now=NOW + timedelta(days=1), resolver=resolver) == 1


def test_one_that_somebody_vouched_for_is_left_alone(tenant: Any) -> None:
    SenderDomain.objects.create(domain="demo.example", verified_at=NOW)
    assert sender_domains.next_check_due() is None
    assert sender_domains.check_next(now=NOW + timedelta(days=9)) == 0
    assert sender_domains.verified("demo.example")


@pytest.mark.parametrize("domain", ["gmail.com", "GMX.de", "web.de"])
def test_a_mailbox_provider_s_domain_is_never_asked_about(tenant: Any, domain: str) -> None:
    sender_domains.register(domain=domain, now=NOW)
    assert sender_domains.look_now(domain=domain, now=NOW) is None
    assert not SenderDomain.objects.exists()


# --- the pages ----------------------------------------------------------------------------------


@pytest.fixture
def client(tenant: Any) -> Client:
    from apps.accounts.models import User

    return client_for(User.objects.create_superuser("chief", "chief@example.com"), TENANT)


def test_the_page_says_what_to_put_where_before_anything_was_looked_at(client: Client, sender: Sender) -> None:
    text = client.get(f"/admin/messaging/sender/{sender.pk}/change/").content.decode()
    for part in ("rz1._domainkey.kaffee.example", "include:spf.esp.example", "_resonanz.kaffee.example", "Check now"):
        assert part in text
    assert "Kaffee &lt;no-reply@" in text, "what mails are from until then"
    assert "Answers go to: hallo@kaffee.example" in text


def test_a_click_asks_dns_and_a_get_does_not(client: Client, sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"/admin/messaging/sender/{sender.pk}/check/"
    assert client.get(url).status_code == 405
    assert not SenderDomain.objects.exists()
    with serving(good_zone()) as resolver:
        monkeypatch.setattr(dns.resolver, "get_default_resolver", lambda: resolver)
        page = client.post(url, follow=True)
    text = page.content.decode()
    assert "kaffee.example is verified" in text
    assert "Kaffee &lt;hallo@kaffee.example&gt;" in text
    assert text.count("in place") >= 5


def test_what_dns_says_is_escaped(client: Client, sender: Sender) -> None:
    zone = good_zone()
    zone["_resonanz.kaffee.example", "TXT"] = ["<script>alert(1)</script>"]
    look(zone)
    text = client.get(f"/admin/messaging/sender/{sender.pk}/change/").content.decode()
    assert "<script>alert(1)" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_tenants_choose_among_offered_services_and_keep_one_that_no_longer_is(client: Client, sender: Sender) -> None:
    Relay.objects.create(key="inner", name="Inner")
    url = f"/admin/messaging/sender/{sender.pk}/change/"
    data = {"name": "K", "email": "hallo@kaffee.example", "is_default": "on"}
    assert client.post(url, {**data, "relay": "inner"}).status_code == 200, "not offered"
    assert client.post(url, {**data, "relay": "main"}).status_code == 302
    Relay.objects.filter(key="main").update(is_offered=False)
    assert "main (no longer offered)" in client.get(url).content.decode()
    assert client.post(url, {**data, "relay": "main"}).status_code == 302


def test_saving_a_sender_registers_its_domain_and_says_when_that_is_in_vain(client: Client, sender: Sender) -> None:
    url = "/admin/messaging/sender/add/"
    client.post(url, {"name": "B", "email": "b@Bohne.example"})
    assert SenderDomain.objects.filter(domain="bohne.example").exists()
    page = client.post(url, {"name": "G", "email": "g@gmail.com"}, follow=True).content.decode()
    assert "gmail.com belongs to a mailbox provider" in page
    assert not SenderDomain.objects.filter(domain="gmail.com").exists()


@pytest.mark.parametrize(
    "name", ["Nordwind <ceo@bank.example>", "ceo@bank.example", "ceo\uff20bank.example", "a\u202eb"]
)
def test_a_senders_name_does_not_pass_for_another_address(name: str) -> None:
    with pytest.raises(ValidationError):
        Sender(name=name, email="ada@x.example").full_clean(validate_unique=False, validate_constraints=False)
    Sender(name="Bar @ Home", email="ada@x.example").full_clean(validate_unique=False, validate_constraints=False)


def test_the_list_costs_the_same_with_many_senders(
    client: Client, sender: Sender, django_assert_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    look(good_zone())
    client.get("/admin/messaging/sender/")  # What a process remembers is read.
    with CaptureQueriesContext(connection) as few:
        page = client.get("/admin/messaging/sender/")
    assert page.status_code == 200
    Sender.objects.bulk_create(Sender(name=f"S{n}", email=f"s{n}@kaffee.example") for n in range(9))
    with django_assert_num_queries(len(few)):
        client.get("/admin/messaging/sender/")
