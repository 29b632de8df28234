"""What each mail service posts to a webhook, after its documentation, with its way of proving that it is the sender."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from svix.webhooks import Webhook

AT = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
EPOCH = int(AT.timestamp())
TO = "ada@example.com"
REPLY = "550 5.1.1 <ada@example.com>: user unknown"
FULL = "452 4.2.2 mailbox full"
_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
_EC = ec.generate_private_key(ec.SECP256R1())


def _pem(key: Any) -> str:
    encoded = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return "".join(encoded.decode().splitlines()[1:-1])


SIGNING = {
    "mailersend": "ms-signing-secret",
    "mailgun": "mg-signing-key",
    "mailtrap": "mt-secret",
    "mandrill": "md-key",
    "postal": _pem(_RSA),
    "resend": "whsec_" + base64.b64encode(b"k" * 24).decode(),
    "sendgrid": _pem(_EC),
    "unisender_go": "ug-api-key",
}


@dataclass
class Post:
    """One request of a mail service."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


def _json(content: Any, **headers: str) -> Post:
    return Post(json.dumps(content).encode(), headers)


def amazon_ses(esp_id: str, kind: str) -> Post:
    mail = {"messageId": esp_id, "destination": [TO], "timestamp": "2026-11-25T09:30:00.000Z"}
    bounced = [{"emailAddress": TO, "diagnosticCode": f"smtp; {REPLY}"}]
    event: dict[str, Any] = {
        "delivered": {"eventType": "Delivery", "delivery": {"recipients": [TO], "smtpResponse": "250 OK"}},
        "hard_bounce": {
            "eventType": "Bounce",
            "bounce": {"bounceType": "Permanent", "bounceSubType": "General", "bouncedRecipients": bounced},
        },
        "soft_bounce": {
            "eventType": "Bounce",
            "bounce": {"bounceType": "Transient", "bounceSubType": "MailboxFull", "bouncedRecipients": bounced},
        },
        "complained": {"eventType": "Complaint", "complaint": {"complainedRecipients": [{"emailAddress": TO}]}},
    }[kind]
    message = {
        "Type": "Notification",
        "MessageId": f"sns-{kind}",
        "TopicArn": "arn:aws:sns:eu-central-1:1:mail",
        "Timestamp": "2026-11-25T09:30:00.000Z",
        "Message": json.dumps({**event, "mail": mail}),
    }
    return _json(message, **{"x-amz-sns-message-type": "Notification", "x-amz-sns-message-id": f"sns-{kind}"})


def brevo(esp_id: str, kind: str) -> Post:
    event = {"complained": "spam"}.get(kind, kind)
    reason = {"hard_bounce": REPLY, "soft_bounce": FULL}.get(kind, "")
    return _json({"event": event, "email": TO, "message-id": esp_id, "ts_epoch": EPOCH * 1000, "reason": reason})


def mailersend(esp_id: str, kind: str) -> Post:
    activity = {"hard_bounce": "hard_bounced", "soft_bounce": "soft_bounced", "complained": "spam_complaint"}
    kind = activity.get(kind, kind)
    data = {
        "object": "activity",
        "id": f"ms-{kind}",
        "type": kind,
        "created_at": "2026-11-25T09:30:00.000000Z",
        "email": {"message": {"id": esp_id}, "recipient": {"email": TO}},
        "morph": {"object": "recipient_bounce", "reason": REPLY} if "bounced" in kind else None,
    }
    return _json({"type": f"activity.{kind}", "data": data})


def mailgun(esp_id: str, kind: str) -> Post:
    event: dict[str, Any] = {
        "delivered": {"event": "delivered"},
        "hard_bounce": {"event": "failed", "severity": "permanent", "reason": "bounce",
                        "delivery-status": {"code": 550, "message": REPLY}},
        "soft_bounce": {"event": "failed", "severity": "permanent", "reason": "old",
                        "delivery-status": {"code": 452, "message": FULL}},
        "complained": {"event": "complained"},
    }[kind]  # fmt: skip
    event |= {
        "id": f"mg-{kind}", "timestamp": EPOCH, "recipient": TO,
        "message": {"headers": {"message-id": esp_id.strip("<>")}},
    }  # fmt: skip
    return _json({"signature": {"token": f"tok-{kind}", "timestamp": str(EPOCH)}, "event-data": event})


def mailjet(esp_id: str, kind: str) -> Post:
    event: dict[str, Any] = {
        "delivered": {"event": "sent", "smtp_reply": "sent (250 OK)"},
        "hard_bounce": {"event": "bounce", "hard_bounce": True, "error": "user unknown"},
        "soft_bounce": {"event": "bounce", "hard_bounce": False, "error": "quota exceeded"},
        "complained": {"event": "spam", "source": "JMRPP"},
    }[kind]
    return _json([{**event, "time": EPOCH, "MessageID": int(esp_id), "email": TO}])


def mailtrap(esp_id: str, kind: str) -> Post:
    event = {"delivered": "delivery", "hard_bounce": "bounce", "deferred": "soft bounce", "complained": "spam"}[kind]
    row = {
        "event": event, "message_id": esp_id, "email": TO, "timestamp": EPOCH, "event_id": f"mt-{kind}",
        "sending_stream": "transactional", "response": REPLY if kind == "hard_bounce" else FULL,
    }  # fmt: skip
    return _json({"events": [row]})


def mandrill(esp_id: str, kind: str) -> Post:
    # It reports no delivery, only that it sent.
    event = {"hard_bounce": "hard_bounce", "soft_bounce": "soft_bounce", "complained": "spam", "deferred": "deferral"}
    row = {"event": event[kind], "_id": esp_id, "ts": EPOCH, "msg": {"email": TO, "diag": f"smtp;{REPLY}"}}
    body = urlencode({"mandrill_events": json.dumps([row])}).encode()
    return Post(body, {}, "application/x-www-form-urlencoded")


def postal(esp_id: str, kind: str) -> Post:
    message = {"id": int(esp_id), "to": TO, "direction": "outgoing"}
    payload: dict[str, Any] = {
        "delivered": {"message": message, "status": "Sent", "output": "250 OK"},
        "hard_bounce": {"message": message, "status": "HardFail", "output": REPLY},
        "soft_bounce": {"original_message": message, "bounce": {"id": 9, "to": "x"}, "output": FULL},
        "deferred": {"message": message, "status": "SoftFail", "output": FULL},
    }[kind]
    return _json({"event": "x", "timestamp": float(EPOCH), "payload": payload, "uuid": f"po-{kind}"})


def postmark(esp_id: str, kind: str) -> Post:
    at = "2026-11-25T09:30:00.000Z"
    event: dict[str, Any] = {
        "delivered": {"RecordType": "Delivery", "Recipient": TO, "DeliveredAt": at, "Details": "250 OK"},
        "hard_bounce": {"RecordType": "Bounce", "Type": "HardBounce", "ID": 1, "Email": TO, "BouncedAt": at,
                        "Details": REPLY},
        "soft_bounce": {"RecordType": "Bounce", "Type": "SoftBounce", "ID": 2, "Email": TO, "BouncedAt": at,
                        "Details": FULL},
        "complained": {"RecordType": "SpamComplaint", "Type": "SpamComplaint", "ID": 3, "Email": TO, "BouncedAt": at},
        "unsubscribed": {"RecordType": "SubscriptionChange", "Recipient": TO, "ChangedAt": at, "SuppressSending": True,
                         "SuppressionReason": "ManualSuppression"},
    }[kind]  # fmt: skip
    return _json({**event, "MessageID": esp_id})


def resend(esp_id: str, kind: str) -> Post:
    data: dict[str, Any] = {"email_id": esp_id, "to": [TO], "created_at": "2026-11-25T09:00:00Z"}
    if kind.endswith("_bounce"):
        permanent = kind == "hard_bounce"
        data["bounce"] = {
            "type": "Permanent" if permanent else "Transient",
            "message": "The recipient's email provider sent a bounce message",
        }
    name = {"hard_bounce": "bounced", "soft_bounce": "bounced", "deferred": "delivery_delayed"}.get(kind, kind)
    return _json({"type": f"email.{name}", "created_at": "2026-11-25T09:30:00.000Z", "data": data})


def sendgrid(esp_id: str, kind: str) -> Post:
    event: dict[str, Any] = {
        "delivered": {"event": "delivered", "response": "250 OK"},
        "hard_bounce": {"event": "bounce", "type": "bounce", "reason": REPLY},
        "soft_bounce": {"event": "bounce", "type": "blocked", "reason": FULL},
        "complained": {"event": "spamreport"},
        "unsubscribed": {"event": "unsubscribe"},
    }[kind]
    row = {**event, "email": TO, "timestamp": EPOCH, "anymail_id": esp_id, "sg_event_id": f"sg-{kind}"}
    return _json([row])


def sparkpost(esp_id: str, kind: str) -> Post:
    event: dict[str, Any] = {
        "delivered": {"type": "delivery"},
        "hard_bounce": {"type": "bounce", "bounce_class": "10", "raw_reason": REPLY},
        "soft_bounce": {"type": "bounce", "bounce_class": "22", "raw_reason": FULL},
        "complained": {"type": "spam_complaint"},
        "unsubscribed": {"type": "list_unsubscribe"},
    }[kind]
    event |= {"event_id": f"sp-{kind}", "timestamp": str(EPOCH), "transmission_id": esp_id, "raw_rcpt_to": TO}
    return _json([{"msys": {"message_event": event}}])


def unisender_go(esp_id: str, kind: str) -> Post:
    status = {"hard_bounce": "hard_bounced", "deferred": "soft_bounced", "complained": "spam"}.get(kind, kind)
    data = {
        "job_id": "j", "metadata": {"anymail_id": esp_id}, "email": TO, "status": status,
        "event_time": "2026-11-25 09:30:00",
        "delivery_info": {"delivery_status": "err_user_unknown", "destination_response": REPLY},
    }  # fmt: skip
    event = {"event_name": "transactional_email_status", "event_data": data}
    return _json({"auth": "AUTH", "events_by_user": [{"user_id": 1, "events": [event]}]})


_MAKERS = (
    amazon_ses, brevo, mailersend, mailgun, mailjet, mailtrap, mandrill, postal, postmark, resend, sendgrid, sparkpost,
    unisender_go,
)  # fmt: skip
MAKERS: dict[str, Callable[[str, str], Post]] = {maker.__name__: maker for maker in _MAKERS}
# What each service can say: without a fourth kind of its own, a neighbour of it.
KINDS = {
    "mailtrap": ("delivered", "hard_bounce", "deferred", "complained"),
    "mandrill": ("deferred", "hard_bounce", "soft_bounce", "complained"),
    "postal": ("delivered", "hard_bounce", "soft_bounce", "deferred"),
    "unisender_go": ("delivered", "hard_bounce", "deferred", "complained"),
}
USUAL = ("delivered", "hard_bounce", "soft_bounce", "complained")


def _hex(key: str, message: bytes) -> str:
    return hmac.new(key.encode(), message, hashlib.sha256).hexdigest()


def sign(esp: str, post: Post, key: str, url: str) -> Post:
    """The request with the service's signature under this key (for key pairs: made with the private one)."""
    body, headers = post.body, dict(post.headers)
    if esp == "mailersend":
        headers["Signature"] = _hex(key, body)
    elif esp == "mailtrap":
        headers["Mailtrap-Signature"] = _hex(key, body)
    elif esp == "mailgun":
        content = json.loads(body)
        block = content["signature"]
        block["signature"] = _hex(key, f"{block['timestamp']}{block['token']}".encode())
        body = json.dumps(content).encode()
    elif esp == "mandrill":
        text = url + "".join(name + value for name, value in sorted(parse_qsl(body.decode())))
        made = hmac.new(key.encode(), text.encode(), hashlib.sha1).digest()
        headers["X-Mandrill-Signature"] = base64.b64encode(made).decode()
    elif esp == "postal":
        headers["X-Postal-Signature"] = base64.b64encode(_RSA.sign(body, padding.PKCS1v15(), hashes.SHA1())).decode()
    elif esp == "resend":
        at = datetime.now(UTC)
        signature = Webhook(key).sign("svix-1", at, body.decode())
        headers |= {"svix-id": "svix-1", "svix-timestamp": str(int(at.timestamp())), "svix-signature": signature}
    elif esp == "sendgrid":
        made = _EC.sign(str(EPOCH).encode() + body, ec.ECDSA(hashes.SHA256()))
        headers["X-Twilio-Email-Event-Webhook-Timestamp"] = str(EPOCH)
        headers["X-Twilio-Email-Event-Webhook-Signature"] = base64.b64encode(made).decode()
    elif esp == "unisender_go":
        digest = hashlib.md5(body.replace(b"AUTH", key.encode())).hexdigest()
        body = body.replace(b"AUTH", digest.encode())
    return Post(body, headers, post.content_type)
