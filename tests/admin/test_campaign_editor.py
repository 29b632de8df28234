"""The editor of a campaign's sequence, from the server's side: drafts, publishing, versions, moving, looking."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core import mail as outbox
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import User
from apps.campaigns import problems, versions
from apps.campaigns.models import Campaign, Enrolment, StepRun
from apps.campaigns.names import Names
from apps.campaigns.picture import draw
from apps.campaigns.sequence import CODES, Problem
from apps.incentives.models import VoucherPool
from apps.messaging.models import MailTemplate
from apps.responses.models import Response
from tests import factories
from tests.admin.conftest import TENANT, client_for

URL = "/admin/campaigns/campaign/"
SCRIPT = "<script>alert(1)</script>"
MAIL = {"key": "mail", "kind": "email", **factories.MAIL}
WAIT = {"key": "wait", "kind": "wait", "mode": "working_days", "days": 3}
LOW = {"field": "response.score", "op": "le", "value": 2}
BRANCH = {
    "key": "low", "kind": "branch", "condition": LOW, "yes": [{"key": "case", "kind": "case"}], "no": [],
}  # fmt: skip
GOOD = [MAIL, WAIT, BRANCH]


def form(steps: Any = GOOD, **changes: Any) -> dict[str, Any]:
    """The campaign's page, filled in."""
    draft = steps if isinstance(steps, str) else json.dumps({"steps": steps})
    usual = {
        "name": "Sorry", "is_active": "on", "entry": "response", "segment": "detractor", "condition": "{}",
        "priority": 0, "stop_on_response": "on", "pause_while_case": "on", "goal": "", "goal_days": 30,
        "holdout_percent": 0, "draft": draft,
    }  # fmt: skip
    return {**usual, **changes}


def staff(*codenames: str) -> Client:
    user = User.objects.create_user("somebody", "somebody@example.com", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return client_for(user, TENANT)


@pytest.fixture
def campaign(tenant: Any) -> Campaign:
    """A campaign in its first version."""
    factories.theme()
    return factories.publish(factories.CampaignFactory(segment="detractor", name="Sorry"), GOOD)


def enrol(campaign: Campaign, key: str, count: int = 1, status: str = "pending") -> list[Enrolment]:
    """Contacts who wait at a step of the current version, or stand still there."""
    now, found = timezone.now(), []
    for _number in range(count):
        person = factories.ContactFactory()
        response = Response.objects.create(
            survey=factories.SurveyFactory(), contact=person, score=1, comment="Late", answered_at=now, updated_at=now
        )
        row = Enrolment.objects.create(
            campaign=campaign, version=campaign.current_version, response=response, contact=person, enrolled_at=now,
            state="running" if status == "pending" else "failed", ended_at=None if status == "pending" else now,
        )  # fmt: skip
        StepRun.objects.create(enrolment=row, step_key=key, kind="email", due_at=now + timedelta(days=1), status=status)
        found.append(row)
    return found


def live(client: Client, steps: Any, **changes: Any) -> dict[str, Any]:
    answer = client.post(f"{URL}live/", form(steps, **changes))
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


# --- what is wrong, in words ---


@pytest.mark.parametrize("code", [*CODES, "gone"])
def test_every_problem_has_a_sentence(code: str) -> None:
    params = dict.fromkeys(CODES.get(code, ("name",)), "subject") | {"limit": 3, "low": 1, "high": 2}
    text = problems.sentence(Problem("step", "steps.0", code, params))
    assert text.endswith((".", "”."))
    assert "%(" not in text
    assert "means nothing (" not in text


def test_sentences_and_problems_are_told_at_their_steps_while_somebody_writes(client: Client) -> None:
    factories.SurveyFactory()
    bad = [
        {"key": "a", "kind": "email", "subject": {"en": "Hi {{ nobody }}"}, "body": {"en": "x"}},
        {"key": "b", "kind": "branch", "condition": {**LOW, "value": "low"}, "yes": [{"key": "c", "kind": "voucher"}]},
        {"key": "d", "kind": "ask", "survey": 99999},
    ]
    found = live(client, bad)
    said = {(one["key"], one["setting"]): one["text"] for one in found["problems"]}
    assert "no variable “nobody”" in said["a", "subject"]
    assert "must be a number" in said["b", ""]
    assert said["c", "pool"] == "Voucher pool: fill this in."
    assert "not there any more" in said["d", "survey"]
    assert found["places"]["b"] == {"value": "The value must be a number."}
    assert found["cards"]["a"]["text"] == "“Hi {{ nobody }}”"
    assert found["problems"][0]["step"].startswith("Step 1: e-mail")
    assert not Campaign.objects.exists()


@pytest.mark.parametrize(
    ("step", "text"),
    [
        ({"kind": "wait", "seconds": 172800}, "2 days later"),
        (WAIT, "3 working days later"),
        ({"kind": "wait", "mode": "morning", "minute": 540}, "the next morning at 09:00"),
        ({"kind": "case", "is_urgent": True}, "Opens an urgent case"),
        ({"kind": "tag", "add": ["vip"], "remove": ["new", "old"]}, "Adds vip; Takes away new, old"),
        ({"kind": "task", "title": {"en": "Call"}, "due_days": 2}, "“Call”, due in 2 days"),
        ({"kind": "branch", "condition": LOW, "yes": [], "no": []}, "Score ≤ 2?"),
        ({"kind": "branch", "condition": {"not": {"field": "response.has_comment", "op": "eq", "value": False}}},
         "Not (no comment was written)?"),
        ({"kind": "wait", "seconds": "soon"}, "How long?"),
        ({"kind": "email", "subject": [], "template": {}}, "By the default template for follow-ups"),
        ({"kind": ["x"]}, ""),
    ],
)  # fmt: skip
def test_each_card_says_in_a_sentence_what_it_does_however_half_written(step: Any, text: str) -> None:
    [card] = draw({"steps": [{"key": "x", **step}]}, Names())
    assert card.text == text


def test_the_start_says_who_enters_and_a_broken_condition_is_told(client: Client) -> None:
    place = factories.TouchpointFactory()
    found = live(client, GOOD, touchpoint=place.pk, condition=json.dumps(LOW))
    assert found["start"] == "When a detractor answers at Order received and only if score ≤ 2"
    broken = live(client, GOOD, condition=json.dumps({**LOW, "op": "contains"}))
    assert list(broken["condition"]) == ["op"]
    assert [one["text"] for one in live(client, GOOD, name="")["problems"]] == ["Still missing: Name."]
    answer = client.post(f"{URL}add/", form(condition=json.dumps({**LOW, "op": "contains"})))
    assert "does not go with" in str(answer.context["adminform"].form.errors)
    assert not Campaign.objects.exists()


# --- drafts and publishing ---


def test_a_draft_with_problems_is_kept_and_not_published(client: Client) -> None:
    wrong = [WAIT, {"key": "x", "kind": "email", "subject": {"en": "{{ oh }}"}}]
    answer = client.post(f"{URL}add/", form(wrong, _publish="1"), follow=True)
    campaign = Campaign.objects.get()
    assert (campaign.draft, campaign.current_version) == ({"steps": wrong}, None)
    assert "The draft is saved, but not published: one thing is still wrong" in answer.content.decode()
    client.post(f"{URL}{campaign.pk}/change/", form([WAIT], name="Later"))
    campaign.refresh_from_db()
    assert (campaign.name, campaign.draft) == ("Later", {"steps": [WAIT]})


def test_what_is_gone_is_not_published(client: Client) -> None:
    template = MailTemplate.objects.create(name="T", purpose="follow_up", subject={"en": "S"}, text={"en": "T"})
    steps = [{"key": "m", "kind": "email", "template": template.pk}]
    client.post(f"{URL}add/", form(steps, _publish="1"))
    campaign = Campaign.objects.get()
    assert campaign.current_version is not None
    template.delete()
    client.post(f"{URL}{campaign.pk}/change/", form([*steps, {"key": "c", "kind": "case"}], _publish="1"))
    campaign.refresh_from_db()
    assert campaign.current_version.number == 1


def test_publishing_makes_a_version_once(client: Client, admin_user: User) -> None:
    client.post(f"{URL}add/", form(_publish="1"))
    campaign = Campaign.objects.get()
    version = campaign.current_version
    assert version is not None
    assert (version.number, version.published_by, len(version.document["steps"])) == (1, admin_user, 3)
    again = client.post(f"{URL}{campaign.pk}/change/", form(_publish="1"), follow=True)
    assert "The steps are the same as in version 1" in again.content.decode()
    client.post(f"{URL}{campaign.pk}/change/", form([MAIL]))
    assert campaign.versions.count() == 1
    client.post(f"{URL}{campaign.pk}/change/", form([MAIL], _publish="1"))
    assert list(campaign.versions.values_list("number", flat=True)) == [2, 1]


def test_who_saves_on_top_of_somebody_elses_steps_is_asked_first(client: Client, campaign: Campaign) -> None:
    path = f"{URL}{campaign.pk}/change/"
    seen = client.get(path).context["adminform"].form["seen"].value()
    client.post(path, form([MAIL], seen=seen))
    late = client.post(path, form([WAIT, MAIL], seen=seen, name="Mine"))
    assert "Somebody else saved other steps meanwhile" in late.content.decode()
    assert "&quot;wait&quot;" in late.content.decode()
    assert Campaign.objects.get().draft == {"steps": [MAIL]}
    again = late.context["adminform"].form["seen"].value()
    client.post(path, form([WAIT, MAIL], seen=again, name="Mine"))
    assert (Campaign.objects.get().draft, Campaign.objects.get().name) == ({"steps": [WAIT, MAIL]}, "Mine")


@pytest.mark.parametrize(
    "text",
    [
        "{", "[]", '{"steps": 1}', '{"steps": ["\\u0000"]}', '{"steps": ["\\ud800"]}', '{"steps": [NaN]}',
        '{"steps": [1e999]}', '{"steps": ' + "[" * 5000, '{"steps": [' + "9" * 5000 + "]}", "null null", "x" * 400_001,
    ],
)  # fmt: skip
def test_what_cannot_be_stored_is_refused_and_what_was_typed_stays(client: Client, text: str) -> None:
    answer = client.post(f"{URL}add/", form(text, _publish="1"))
    assert answer.status_code == 200
    assert "draft" in answer.context["adminform"].form.errors
    assert text[:50].replace('"', "&quot;") in answer.content.decode()
    assert client.post(f"{URL}live/", form(text)).json()["unreadable"]
    assert not Campaign.objects.exists()


@pytest.mark.parametrize(
    "steps", [[None, 1, "x"], [{"key": 1}], [{"key": "a", "kind": "nope"}, {"key": "a", "kind": "case"}],
              [{"key": "b", "kind": "branch", "yes": {}, "no": "x", "condition": [1]}], [{"key": "b", "kind": {}}]]
)  # fmt: skip
def test_any_json_can_be_a_draft_and_is_told_what_is_wrong(client: Client, steps: Any) -> None:
    assert live(client, steps)["problems"]
    client.post(f"{URL}add/", form(steps))
    campaign = Campaign.objects.get()
    assert client.get(f"{URL}{campaign.pk}/change/").status_code == 200
    assert client.post(f"{URL}{campaign.pk}/change/", form(steps, _publish="1"), follow=True).status_code == 200
    assert Campaign.objects.get().current_version is None


def test_nobody_asks_or_publishes_without_the_right(campaign: Campaign) -> None:
    looks = staff("view_campaign")
    page = looks.get(f"{URL}{campaign.pk}/change/").content.decode()
    assert "f-picture" in page
    assert "data-sequence-urls" not in page
    for word in ("live", "mail", "trial"):
        assert looks.post(f"{URL}{word}/?id={campaign.pk}", form()).status_code == 403
        assert looks.post(f"{URL}{word}/", form()).status_code == 403
        assert looks.get(f"{URL}{word}/").status_code == 405
    assert looks.post(f"{URL}{campaign.pk}/change/", form([MAIL], _publish="1")).status_code == 403
    assert looks.get(f"{URL}{campaign.pk}/versions/").status_code == 200
    assert looks.post(f"{URL}{campaign.pk}/versions/1/move/").status_code == 403
    assert client_for(User.objects.create_user("guest", is_staff=True), TENANT).get(
        f"{URL}{campaign.pk}/versions/"
    ).status_code == 403  # fmt: skip


def test_unknown_campaigns_and_versions_are_not_found(client: Client, campaign: Campaign) -> None:
    for path in (
        "999999/versions/",
        f"{campaign.pk}/versions/7/",
        f"{campaign.pk}/versions/{9**30}/",
        f"{9**30}/versions/",
    ):
        assert client.get(URL + path).status_code == 404
    assert client.post(f"{URL}live/?id=999999", form()).status_code == 404


# --- versions, and moving ---


def second(campaign: Campaign) -> Campaign:
    """Without the wait, with a voucher, and another subject."""
    pool = VoucherPool.objects.create(name="Five", value={"en": "5 €"}, kind="generated", pattern="T-####-####")
    mail = {**MAIL, "subject": {"en": "New words"}}
    return factories.publish(campaign, [mail, {"key": "gift", "kind": "voucher", "pool": pool.pk}, BRANCH])


def test_versions_are_listed_with_what_differs_and_who_runs(client: Client, campaign: Campaign) -> None:
    enrol(campaign, "wait", 3)
    with CaptureQueriesContext(connection) as few:
        client.get(f"{URL}{campaign.pk}/versions/")
    second(campaign)
    campaign.draft = {"steps": [MAIL]}
    campaign.save()
    with CaptureQueriesContext(connection) as many:
        page = " ".join(client.get(f"{URL}{campaign.pk}/versions/").content.decode().split())
    assert len(many) <= len(few)
    assert "3 contacts run through it" in page
    for text in (
        "<b>new:</b> voucher",
        "<b>changed:</b> e-mail, “New words”",
        "<b>gone:</b> wait",
        "Draft, not published",
    ):
        assert text in page
    old = client.get(f"{URL}{campaign.pk}/versions/1/").content.decode()
    assert "3 wait here" in old
    assert "3 working days later" in old


def test_moving_asks_where_to_go_on_and_says_what_came_of_it(
    client: Client, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.campaigns.admin.versions.BATCH", 2)
    stay, gone = enrol(campaign, "mail", 3), enrol(campaign, "wait", 2)
    second(campaign)
    path = f"{URL}{campaign.pk}/versions/1/move/"
    assert "These wait at steps that the new version does not have" in client.get(path).content.decode()
    for choice in ("", "nowhere", "mail2"):
        refused = client.post(path, {"place-wait": choice})
        assert "Nothing was moved" in refused.content.decode()
    assert not Enrolment.objects.filter(version=campaign.current_version).exists()
    answer = client.post(path, {"place-wait": "__end"}, follow=True)
    assert "5 contacts moved, 2 of them ended" in answer.content.decode()
    states = dict(Enrolment.objects.values_list("pk", "state"))
    assert {states[row.pk] for row in stay} == {"running"}
    assert {states[row.pk] for row in gone} == {"done"}
    assert set(Enrolment.objects.values_list("version__number", flat=True)) == {2}


# --- names and texts of others are no markup ---


def test_script_in_names_and_texts_is_shown_and_never_run(client: Client, campaign: Campaign) -> None:
    words = {**MAIL, "subject": {"en": SCRIPT}, "body": {"en": SCRIPT}}
    bad = [words, {"key": "b", "kind": "branch", "name": SCRIPT, "condition": {**LOW, "field": f"property.{SCRIPT}"}}]
    Campaign.objects.filter(pk=campaign.pk).update(name=SCRIPT)
    campaign.refresh_from_db()
    factories.publish(campaign, [words, {"key": "tag", "kind": "tag", "add": [SCRIPT]}])
    [row] = enrol(campaign, "mail")
    StepRun.objects.update(last_error=SCRIPT, status="failed")
    Campaign.objects.filter(pk=campaign.pk).update(draft={"steps": bad})
    factories.publish(Campaign.objects.get(pk=campaign.pk), [WAIT, MAIL])
    Campaign.objects.filter(pk=campaign.pk).update(draft={"steps": bad})
    paths = [f"campaign/{campaign.pk}/{rest}" for rest in ("change/", "versions/", "versions/2/", "versions/2/move/")]
    for path in [*paths, "campaign/", f"enrolment/{row.pk}/change/", "enrolment/", "steprun/"]:
        page = client.get(f"/admin/campaigns/{path}")
        assert page.status_code == 200
        assert SCRIPT not in page.content.decode(), path
        assert "<style" not in page.content.decode()


# --- the mail of a step ---


def test_the_mail_is_shown_in_both_languages_with_and_without_a_comment(client: Client, campaign: Campaign) -> None:
    response = enrol(campaign, "mail")[0].response
    place = {"_key": "mail", "_response": str(response.pk)}
    frame = client.post(f"{URL}mail/", form(**place, _language="de"))
    assert "sandbox" in frame.headers["Content-Security-Policy"]
    assert "script-src 'none'" in frame.headers["Content-Security-Policy"]
    assert "#0f6e84" in frame.content.decode()

    def subject(**more: Any) -> str:
        answer = client.post(f"{URL}mail/", form(**{**place, **more}), headers={"accept": "application/json"})
        return str(answer.json()["subject"])

    assert subject(_language="de") == "Danke, Ada Lovelace"
    assert subject(_language="en", _comment="no") == "Tell us more"
    assert subject(_language="en", _response="") == "Thanks, Ada Lovelace"
    assert subject(_key="nothing") == ""
    assert subject(_language="xx", _response="x' OR 1=1") == "Thanks, Ada Lovelace"
    response.refresh_from_db()
    assert response.comment == "Late"


def test_a_test_mail_goes_to_whoever_is_signed_in(client: Client, campaign: Campaign) -> None:
    enrol(campaign, "mail")
    said = client.post(f"{URL}trial/", form(_key="mail", _language="en")).json()["said"]
    assert said == "Sent to chief@example.com."
    [sent] = outbox.outbox
    assert (sent.to, sent.subject) == (["chief@example.com"], "[Test] Thanks, Ada Lovelace")
    nothing = client.post(f"{URL}trial/", form([{"key": "m", "kind": "email"}], _key="m"))
    assert "write a subject and a text first" in nothing.json()["said"]
    assert len(outbox.outbox) == 1


def test_without_the_right_to_see_responses_only_the_invented_one_is_shown(campaign: Campaign) -> None:
    enrolled = enrol(campaign, "mail")[0]
    enrolled.contact.name = "Grace Hopper"
    enrolled.contact.save()
    writer = staff("change_campaign", "view_campaign", "add_campaign")
    data = form(_key="mail", _language="en", _response=str(enrolled.response_id))
    answer = writer.post(f"{URL}mail/", data, headers={"accept": "application/json"})
    assert answer.json()["subject"] == "Thanks, Ada Lovelace"
    assert "Grace" not in writer.get(f"{URL}{campaign.pk}/change/").content.decode()


# --- runs, and the end of a campaign ---


def test_an_enrolment_is_shown_stopped_and_tried_again(client: Client, campaign: Campaign) -> None:
    [running], [failed] = enrol(campaign, "wait"), enrol(campaign, "mail", status="failed")
    StepRun.objects.filter(enrolment=failed).update(reason="TimeoutError", last_error="The server did not answer.")
    path = "/admin/campaigns/enrolment/"
    page = client.get(f"{path}{failed.pk}/change/").content.decode()
    assert "f-is-failed" in page
    assert "The server did not answer." in page
    assert "f-is-pending" in client.get(f"{path}{running.pk}/change/").content.decode()
    looks = staff("view_enrolment", "view_steprun")
    chosen = {"_selected_action": [running.pk, failed.pk]}
    looks.post(path, {"action": "stop", **chosen})
    assert Enrolment.objects.get(pk=running.pk).state == "running"
    client.post(path, {"action": "stop", **chosen})
    stopped = Enrolment.objects.get(pk=running.pk)
    assert (stopped.state, stopped.end_reason) == ("stopped", "by_hand")
    client.post(path, {"action": "try_again", **chosen})
    assert Enrolment.objects.get(pk=failed.pk).state == "running"
    assert Enrolment.objects.get(pk=running.pk).state == "stopped"


def test_a_published_campaign_can_be_deleted_until_somebody_ran_through_it(client: Client, campaign: Campaign) -> None:
    other = factories.publish(factories.CampaignFactory(name="Other"), GOOD)
    enrol(other, "mail")
    client.post(f"{URL}{campaign.pk}/delete/", {"post": "yes"})
    client.post(URL, {"action": "delete_selected", "_selected_action": [other.pk], "post": "yes"})
    assert list(Campaign.objects.all()) == [other]
    assert versions.problems(document=other.draft, stops_on_response=True) == []
