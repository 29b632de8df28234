import smtplib
from datetime import timedelta

import pytest
import requests
from anymail.exceptions import AnymailRecipientsRefused, AnymailRequestsAPIError

from apps.messaging.mime import address
from apps.messaging.outcomes import of_error
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
        (esp(422), "failed"),
        (esp(504), "unknown"),
        (AnymailRequestsAPIError("no answer"), "unknown"),
    ],
)
def test_only_a_clear_answer_is_believed(error: Exception, status: str) -> None:
    assert of_error(error).status == status


def test_tries_move_apart_but_not_beyond_an_hour() -> None:
    assert timedelta(seconds=22) < backoff(1) < timedelta(seconds=38)
    assert timedelta(minutes=40) < backoff(30) < timedelta(minutes=80)


def test_names_are_quoted_and_kept_on_one_line() -> None:
    assert address("Ada, Countess\r\nBcc: x", "a@x.example") == '"Ada, Countess Bcc: x" <a@x.example>'
