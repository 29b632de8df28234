"""What a receiving server's reply says about the mailbox."""

import pytest
from anymail.signals import AnymailTrackingEvent, EventType

from apps.relays.reports import report_of


def kind_of(reply: str) -> str:
    report = report_of(
        AnymailTrackingEvent(event_type=EventType.BOUNCED, message_id="1", mta_response=reply), "Mailgun"
    )
    assert report is not None
    return report.kind


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ("550 5.1.1 no such user", "hard_bounce"),
        ("550 no such user here, says [64.4.12.5]", "hard_bounce"),
        ("550 5.1.1 no such user, says 4.1.2.3", "hard_bounce"),
        ("452 4.2.2 mailbox full.", "soft_bounce"),
        ("mailbox full (5.2.2).", "soft_bounce"),
        ("550 5.7.1 your server is on a list", "soft_bounce"),
        ("550 5.1.8 sender's domain not found", "soft_bounce"),
        ("550 rejected by 10.5.7.1", "hard_bounce"),
    ],
)
def test_only_what_is_said_of_the_mailbox_blocks_it(reply: str, kind: str) -> None:
    assert kind_of(reply) == kind
