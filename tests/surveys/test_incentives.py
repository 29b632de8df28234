"""What a survey promises for answering: in its mails, in its versions, and on the page where it is written."""

from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from apps.contacts.models import Contact
from apps.messaging.models import MailTemplate, OutgoingEmail
from apps.messaging.parcels import as_sent
from apps.surveys import reminders, versions
from apps.surveys.models import Survey, SurveyReminder
from apps.surveys.services import dispatch_due
from apps.triggers.services import evaluate_events
from tests import factories

pytestmark = pytest.mark.usefixtures("tenant")
BASE = "http://nordwind.resonanz.test"
MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)
DAY = timedelta(days=1)
PROMISE = {"en": "€5 <voucher>", "de": "5-€-<Gutschein>"}
SENTENCE = "For your answer, whatever it says: %(incentive)s"


def mails(language: str, promise: dict[str, str] = PROMISE) -> list[Any]:
    """An invitation and its reminder, as they are sent to somebody who reads this language."""
    rule = factories.house(delay=timedelta(0))
    Survey.objects.update(incentive=promise)
    versions.publish(survey_id=rule.survey_id, now=MONDAY)
    SurveyReminder.objects.create(survey=rule.survey, position=1, delay=4 * DAY)
    data = {"email": "ada@example.com", "locale": language}
    factories.EventFactory(occurred_at=MONDAY, received_at=MONDAY, contact_data=data)
    evaluate_events(now=MONDAY)
    Contact.objects.update(locale=language)
    dispatch_due(now=MONDAY, base_url=BASE)
    OutgoingEmail.objects.filter(status="queued").update(status="sent", sent_at=MONDAY)
    reminders.remind_due(now=MONDAY + 4 * DAY, base_url=BASE)
    found = [as_sent(mail) for mail in OutgoingEmail.objects.order_by("id")]
    assert len(found) == 2
    return found


@pytest.mark.parametrize("language", ["en", "de"])
def test_invitation_and_reminder_say_what_is_promised(language: str) -> None:
    with translation.override(language):
        said = translation.gettext(SENTENCE) % {"incentive": PROMISE[language]}
    for mail in mails(language):
        assert said in mail.text
        assert said in unescape(" ".join(mail.html.split()))
        assert "<voucher>" not in mail.html
        assert "<Gutschein>" not in mail.html


def test_mails_of_surveys_that_promise_nothing_do_not_speak_of_it() -> None:
    for mail in mails("en", {}):
        assert "whatever it says" not in mail.text + mail.html


def test_a_tenants_own_templates_say_it_where_they_like() -> None:
    for purpose in ("invitation", "reminder"):
        words = {"en": f"{purpose}: {{{{ incentive|nothing }}}}!\n\n{{{{ score_row }}}}"}
        MailTemplate.objects.create(
            name=purpose, purpose=purpose, is_default=True, subject={"en": "{{ incentive }}"}, text=words
        )
    invitation, reminder = mails("de")
    assert "invitation: 5-€-<Gutschein>!" in invitation.text
    assert "reminder: 5-€-<Gutschein>!" in reminder.text
    assert "invitation: 5-€-&lt;Gutschein&gt;!" in invitation.html
    assert OutgoingEmail.objects.order_by("id")[0].subject == "5-€-<Gutschein>"


def test_a_promise_is_part_of_its_version_and_only_a_change_makes_a_new_one() -> None:
    survey = factories.SurveyFactory()
    numbers = []
    for texts in ({}, {"en": " "}, {"en": "€5"}, {"en": "€5 ", "de": ""}, {"en": "€10"}, {}):
        Survey.objects.update(incentive=texts)
        numbers.append(versions.publish(survey_id=survey.pk, now=MONDAY).number)
    assert numbers == [1, 1, 2, 2, 3, 4]
    kept = [row.definition.get("incentive") for row in survey.versions.order_by("number")]
    assert kept == [None, {"en": "€5"}, {"en": "€10"}, None]
    assert [versions.definition_of(row).is_incentivised for row in survey.versions.order_by("number")] == [
        False, True, True, False,
    ]  # fmt: skip


def test_a_promise_is_short_enough_for_small_screens() -> None:
    survey = factories.SurveyFactory(incentive={"en": "x" * 200, "de": "y" * 201})
    with pytest.raises(ValidationError) as caught:
        survey.full_clean()
    assert list(caught.value.message_dict) == ["incentive"]
