import smtplib
from datetime import timedelta

import pytest
import requests
from anymail.exceptions import AnymailRecipientsRefused, AnymailRequestsAPIError

from apps.messaging.mime import address
from apps.messaging.outcomes import Fault, of_error, refused
from apps.messaging.results import backoff


def esp(status_code: int) -> AnymailRequestsAPIError:
    """An ESP's answer with this HTTP status."""
    response = requests.Response()
    response.status_code, response.reason = status_code, "said so"
    return AnymailRequestsAPIError(response=response)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (smtplib.SMTPRecipientsRefused({"a@x.example": (450, b"later")}), "queued"),
        (smtplib.SMTPRecipientsRefused({"a@x.example": (550, b"never")}), "bounced"),
        (smtplib.SMTPDataError(452, b"full"), "queued"),
        (smtplib.SMTPDataError(554, b"spam"), "failed"),
        (smtplib.SMTPServerDisconnected("gone"), "unknown"),
        (TimeoutError("timed out"), "unknown"),
        (ValueError("bad header"), "failed"),
        (AnymailRecipientsRefused("blocked"), "bounced"),
        (esp(429), "queued"),
        (esp(401), "queued"),
        (esp(503), "queued"),
        (esp(403), "queued"),
        (esp(422), "failed"),
        (esp(504), "unknown"),
        (AnymailRequestsAPIError("no answer"), "unknown"),
    ],
)
def test_only_a_clear_answer_is_believed(error: Exception, status: str) -> None:
    assert of_error(error).status == status


@pytest.mark.parametrize(
    ("reply", "is_bad"),
    [
        ("5.1.1 no such user", True),
        ("5.1.10 domain takes no mail", True),
        ("5.1.0 sender denied", False),
        ("5.1.8 <n@x.example>: Sender address rejected: Domain not found", False),
        ("blocked: client host [85.5.1.20] is on a list", False),
        ("blocked: 5.1.2.3 is on a list", False),
        ("5.7.1 client host [85.5.1.20] is on a list", False),
    ],
)
def test_an_address_is_bad_only_if_the_reply_says_so_of_the_address(reply: str, is_bad: bool) -> None:
    assert refused(550, reply, at="rcpt").is_bad_address is is_bad
    assert refused(550, reply, at="data").is_bad_address is is_bad


def test_trouble_with_the_senders_address_is_not_the_recipients() -> None:
    assert refused(550, "5.1.8 Sender address rejected", at="rcpt").status == "failed"
    assert refused(450, "4.1.8 Sender address rejected", at="rcpt").fault is Fault.DOMAIN


def test_a_service_that_wants_another_login_rests_and_no_mail_is_lost() -> None:
    for code, at in ((530, "mail"), (535, "mail"), (530, "rcpt"), (530, "data")):
        outcome = refused(code, "5.7.0 Authentication required", at=at)
        assert (outcome.status, outcome.fault) == ("queued", Fault.RELAY)
    assert refused(550, "5.7.60 not your address", at="mail").status == "failed"


def test_a_tenants_sender_that_is_refused_does_not_make_the_service_rest_for_all() -> None:
    assert refused(450, "4.1.8 Sender address rejected", at="mail").fault is Fault.RECIPIENT
    assert of_error(esp(403)).fault is Fault.RECIPIENT
    assert refused(451, "4.3.0 out of order", at="mail").fault is Fault.RELAY
    assert of_error(esp(401)).fault is Fault.RELAY


def test_tries_move_apart_but_not_beyond_an_hour() -> None:
    assert timedelta(seconds=22) < backoff(1) < timedelta(seconds=38)
    assert timedelta(minutes=40) < backoff(30) < timedelta(minutes=80)


def test_names_are_quoted_and_kept_on_one_line() -> None:
    assert address("Ada, Countess\r\nBcc: x", "a@x.example") == '"Ada, Countess Bcc: x" <a@x.example>'
