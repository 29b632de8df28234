"""Delivery reports of every mail service, through the real page: believed with the right proof, stored once."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError
from django.test import Client
from django_tenants.utils import schema_context

from apps.messaging import events
from apps.messaging.models import DeliveryEvent, OutgoingEmail, Suppression
from apps.relays import services
from apps.relays.esps import ESPS, Proof
from apps.relays.models import Relay
from tests.relays import payloads
from tests.relays.payloads import Post

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
HOST = "resonanz.test"
REPORTING = sorted(esp for esp in ESPS if ESPS[esp].proof is not Proof.NONE)
SIGNED = sorted(payloads.SIGNING)
UNSIGNED = sorted(esp for esp in REPORTING if ESPS[esp].proof in {Proof.SECRET, Proof.EITHER})
pytestmark = pytest.mark.filterwarnings("ignore:django-anymail has dropped")


@pytest.fixture(autouse=True)
def in_public(db: None) -> Any:
    with schema_context("public"):
        yield


def make_relay(esp: str, key: str = "main", *, signs: bool | None = None, **more: Any) -> Relay:
    values: dict[str, Any] = {"api_key": "key"}
    if signs is not False and esp in payloads.SIGNING:
        values[ESPS[esp].signing] = payloads.SIGNING[esp]
    return Relay.objects.create(key=key, name=key, kind=esp, settings=values, **more)


def make_mail(schema: str, esp_id: str, relay: str = "main", **more: Any) -> UUID:
    with schema_context(schema):
        values = {"reason": str(uuid4()), "message_id": str(uuid4()), "relay": relay, "esp_id": esp_id, **more}
        mail = OutgoingEmail.objects.create(
            to_email=payloads.TO, from_header="x", subject="s", status="sent", due_at=NOW, queued_at=NOW, sent_at=NOW,
            **values,
        )  # fmt: skip
    services.remember(relay=relay, schema_name=schema, handles={esp_id: mail.pk}, now=NOW)
    return mail.pk


def esp_id_for(esp: str) -> str:
    return {"mailjet": "1152921504606846976", "postal": "4711", "mailgun": "<20261125.1@mg.example.com>"}.get(
        esp, "id-1"
    )


def url_of(key: str) -> str:
    return f"http://{HOST}/mail/events/{key}/"


def send(key: str, post: Post, auth: str = "") -> int:
    headers = {"host": HOST, **post.headers}
    if auth:
        headers["Authorization"] = "Basic " + base64.b64encode(auth.encode()).decode()
    client = Client(raise_request_exception=False)
    answer = client.post(f"/mail/events/{key}/", data=post.body, content_type=post.content_type, headers=headers)
    return answer.status_code


def auth_of(relay: Relay) -> str:
    return f"resonanz:{relay.webhook_secret}"


def stored(schema: str = "nordwind") -> list[str]:
    with schema_context(schema):
        return list(DeliveryEvent.objects.order_by("pk").values_list("kind", flat=True))


CASES = [(esp, kind) for esp in REPORTING for kind in payloads.KINDS.get(esp, payloads.USUAL)]


@pytest.mark.parametrize(("esp", "kind"), CASES, ids=str)
def test_a_proven_report_is_stored_with_the_message_s_own_tenant_and_once(esp: str, kind: str) -> None:
    relay, esp_id = make_relay(esp), esp_id_for(esp)
    mail_id = make_mail("nordwind", esp_id)
    post = payloads.MAKERS[esp](esp_id, kind)
    if esp in payloads.SIGNING:
        post = payloads.sign(esp, post, payloads.SIGNING[esp], url_of("main"))
    auth = "" if esp in payloads.SIGNING else auth_of(relay)
    assert send("main", post, auth) == 200
    assert stored() == [kind]
    assert send("main", post, auth) == 200, "a replay is fine"
    assert stored() == [kind], "and changes nothing"
    assert stored("klarwerk") == []
    with schema_context("nordwind"):
        event = DeliveryEvent.objects.get()
        assert event.email_id == mail_id
        assert event.at == payloads.AT
        status = {"delivered": "delivered", "hard_bounce": "bounced", "complained": "complained"}.get(kind, "sent")
        assert event.email.status == status
        assert Suppression.objects.count() == (kind in {"hard_bounce", "complained"})


@pytest.mark.parametrize("esp", SIGNED)
def test_a_report_that_the_service_did_not_sign_is_refused(esp: str) -> None:
    relay, esp_id = make_relay(esp), esp_id_for(esp)
    make_mail("nordwind", esp_id)
    plain = payloads.MAKERS[esp](esp_id, "hard_bounce")
    good = payloads.sign(esp, plain, payloads.SIGNING[esp], url_of("main"))
    key = "whsec_" + base64.b64encode(b"x" * 24).decode() if esp == "resend" else "wrong"
    forged = [plain, Post(b"", {}, plain.content_type), Post(b"\xff{", good.headers, plain.content_type)]
    if esp not in {"postal", "sendgrid"}:  # There the private key is the service's alone.
        forged.append(payloads.sign(esp, plain, key, url_of("main")))
    if esp != "mailgun":  # It signs a token only, not the content.
        forged.append(Post(good.body.replace(b"ada", b"bob"), good.headers, plain.content_type))
    for number, post in enumerate(forged):
        assert 400 <= send("main", post) < 500, number
        assert 400 <= send("main", post, auth_of(relay)) < 500, f"{number}: the secret does not replace it"
    assert stored() == []


@pytest.mark.parametrize("esp", UNSIGNED)
def test_where_nothing_is_signed_the_secret_in_the_address_is_needed(esp: str) -> None:
    relay, esp_id = make_relay(esp, signs=False), esp_id_for(esp)
    make_mail("nordwind", esp_id)
    post = payloads.MAKERS[esp](esp_id, "hard_bounce")
    for wrong in ("", "resonanz:", "resonanz:wrong", f"someone:{relay.webhook_secret}", ":", "resonanz:None"):
        assert 400 <= send("main", post, wrong) < 500, wrong
    assert stored() == []
    assert send("main", post, auth_of(relay)) == 200
    assert stored() == ["hard_bounce"]


@pytest.mark.parametrize(
    "esp", sorted(esp for esp in ESPS if ESPS[esp].proof is Proof.SIGNATURE and esp != "unisender_go")
)
def test_a_service_that_signs_is_not_believed_before_its_key_is_entered(esp: str) -> None:
    relay, esp_id = make_relay(esp, signs=False), esp_id_for(esp)
    make_mail("nordwind", esp_id)
    post = payloads.sign(esp, payloads.MAKERS[esp](esp_id, "hard_bounce"), "", url_of("main"))
    assert send("main", post) == send("main", post, auth_of(relay)) == 403
    assert stored() == []


@pytest.mark.parametrize("esp", ["resend", "postal", "sendgrid"])
def test_a_signing_key_that_is_none_refuses_everything(esp: str) -> None:
    relay = make_relay(esp)
    relay.settings = {**relay.settings, ESPS[esp].signing: "not a key!"}
    relay.save()
    assert 400 <= send("main", payloads.MAKERS[esp](esp_id_for(esp), "delivered")) < 500


@pytest.mark.parametrize("esp", ["postmark", "mailgun"])
def test_two_accounts_at_one_service_do_not_answer_for_each_other(esp: str) -> None:
    mine, other = make_relay(esp, "mine"), make_relay(esp, "other")
    other.settings = {**other.settings, "webhook_signing_key": "another key"}
    other.save()
    esp_id = esp_id_for(esp)
    make_mail("nordwind", esp_id, "mine")
    post = payloads.MAKERS[esp](esp_id, "hard_bounce")
    signed = payloads.sign(esp, post, "another key", url_of("other")) if esp in payloads.SIGNING else post
    assert send("other", signed, auth_of(other)) == 200, "its own report, but about no message of its own"
    assert 400 <= send("mine", signed, auth_of(other)) < 500
    assert stored() == []
    assert mine.webhook_secret != other.webhook_secret


def test_the_tenant_comes_from_our_own_note_and_never_from_the_payload() -> None:
    relay = make_relay("postmark")
    victim = make_mail("klarwerk", "of-klarwerk")
    make_mail("nordwind", "of-nordwind")
    post = payloads.postmark("of-nordwind", "hard_bounce")
    lies = f'"Metadata": {{"tenant": "klarwerk", "schema_name": "klarwerk", "email_id": "{victim}"}}, "MessageID"'
    post.body = post.body.replace(b'"MessageID"', lies.encode())
    assert send("main", post, auth_of(relay)) == 200
    assert stored() == ["hard_bounce"]
    assert stored("klarwerk") == []


def test_a_message_that_nobody_sent_from_here_is_passed_over() -> None:
    relay = make_relay("postmark")
    assert send("main", payloads.postmark("unknown", "hard_bounce"), auth_of(relay)) == 200
    assert stored() == stored("klarwerk") == []


def test_a_report_ahead_of_our_own_note_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    relay = make_relay("postmark")
    monkeypatch.setattr("apps.relays.views.timezone.now", lambda: payloads.AT + timedelta(seconds=1))
    post = payloads.postmark("soon", "hard_bounce")
    assert send("main", post, auth_of(relay)) == 503
    make_mail("nordwind", "soon")
    assert send("main", post, auth_of(relay)) == 200
    assert stored() == ["hard_bounce"]


def test_a_tenant_that_is_switched_off_hears_nothing_and_the_service_is_answered() -> None:
    from apps.tenants.models import Tenant

    relay = make_relay("postmark")
    make_mail("nordwind", "id-1")
    Tenant.objects.filter(schema_name="nordwind").update(is_active=False)
    assert send("main", payloads.postmark("id-1", "hard_bounce"), auth_of(relay)) == 200
    assert stored() == []


def test_trouble_with_storing_is_not_hidden_so_that_the_service_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    relay = make_relay("postmark")
    make_mail("nordwind", "id-1")

    def away(**_: Any) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(events, "record_delivery_event", away)
    assert send("main", payloads.postmark("id-1", "hard_bounce"), auth_of(relay)) == 500


def test_reports_of_a_service_that_was_switched_off_still_count() -> None:
    relay = make_relay("postmark", is_active=False)
    make_mail("nordwind", "id-1")
    assert send("main", payloads.postmark("id-1", "hard_bounce"), auth_of(relay)) == 200
    assert stored() == ["hard_bounce"]


@pytest.mark.parametrize("kind", ["smtp", "scaleway"])
def test_who_reports_nothing_has_no_address(kind: str) -> None:
    Relay.objects.create(key="main", name="M", kind=kind)
    for key in ("main", "env", "unknown"):
        assert send(key, payloads.postmark("x", "delivered")) == 404


def test_the_address_exists_on_the_public_host_only(db: None) -> None:
    make_relay("postmark")
    answer = Client().post("/mail/events/main/", headers={"host": "nordwind.resonanz.test"})
    assert answer.status_code == 404


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"null", b"7", b'"x"', b"{" * 5000, b"\xff", b'{"RecordType": 7}'])
@pytest.mark.parametrize("esp", UNSIGNED)
def test_nonsense_with_the_right_secret_is_no_error_of_ours(esp: str, body: bytes) -> None:
    relay = make_relay(esp, signs=False)
    assert send("main", Post(body), auth_of(relay)) < 500


def test_a_confirmation_of_sns_is_not_answered_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    relay = make_relay("amazon_ses")
    reached: list[str] = []
    from anymail.webhooks.amazon_ses import AmazonSESBaseWebhookView

    monkeypatch.setattr(AmazonSESBaseWebhookView, "get_boto_client", lambda self, name, **more: reached.append(name))
    post = payloads._json(
        {"Type": "SubscriptionConfirmation", "MessageId": "1", "TopicArn": "arn:aws:sns:eu:1:t", "Token": "t"},
        **{"x-amz-sns-message-type": "SubscriptionConfirmation", "x-amz-sns-message-id": "1"},
    )
    assert send("main", post, auth_of(relay)) == 200
    assert reached == []


def test_the_environment_s_service_reports_under_env(settings: Any) -> None:
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    settings.ANYMAIL = {"WEBHOOK_SECRET": "user:a-long-enough-secret"}
    make_mail("nordwind", "id-1", "")
    post = payloads.postmark("id-1", "hard_bounce")
    assert send("env", post) == send("env", post, "user:wrong") == 400
    assert stored() == []
    assert send("env", post, "user:a-long-enough-secret") == 200
    assert stored() == ["hard_bounce"]


def test_a_relay_s_secrets_are_never_the_environment_s(settings: Any) -> None:
    settings.ANYMAIL = {"WEBHOOK_SECRET": "user:a-long-enough-secret", "MAILTRAP_TRACKING_SECRET": "env"}
    make_relay("mailtrap", signs=False)
    make_mail("nordwind", "id-1")
    post = payloads.mailtrap("id-1", "hard_bounce")
    assert send("main", post, "user:a-long-enough-secret") == 400
    assert send("main", payloads.sign("mailtrap", post, "env", "")) == 400
    assert stored() == []
