"""Every ready-made campaign with real processes: made of its template, published, run through, and measured."""

import json
import re
import time
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

import pytest

from apps.responses.suspicion import TOO_FAST_SECONDS
from tests.journeys.desk import Desk, filled, form_with, respond
from tests.journeys.platform import Platform, Sink, wait_for

# Which broker carries the tasks makes no difference here: it is the one with which the story leaves off.
pytestmark = [pytest.mark.timeout(300), pytest.mark.parametrize("broker", ["files"], indirect=True, scope="package")]
THEME = "zeppelin"
RANK = {"no-comment": 200}
"""Above the demo's own campaigns; of two that fit, the one without a comment is the nudge's."""

_RUNS = "@campaigns_steprun r JOIN @campaigns_enrolment e ON e.id = r.enrolment_id WHERE e.campaign_id = %s"
ASKS = f"SELECT r.status, r.reason FROM {_RUNS} AND r.kind = 'ask'"
STEPS = f"SELECT r.step_key FROM {_RUNS} ORDER BY r.position"
LATER = f"""
    UPDATE @campaigns_steprun SET due_at = now() WHERE id IN (SELECT r.id FROM {_RUNS} AND r.status = 'pending')
    RETURNING step_key
"""
"""Whatever was waited for is over."""
ENDED = "SELECT state, end_reason FROM @campaigns_enrolment WHERE campaign_id = %s"


@dataclass(frozen=True)
class Person:
    """Somebody who answers."""

    id: str
    email: str


@dataclass(frozen=True)
class Stage:
    """Both tenants with all campaigns running, and whoever answered."""

    platform: Platform
    sink: Sink
    desks: dict[str, Desk]
    campaigns: dict[str, int]
    people: dict[str, Person]

    def desk(self, key: str) -> Desk:
        return self.desks[TENANTS[key]]

    def mail(self, key: str, subject: str) -> str:
        """The text of the mail to this campaign's contact, once it is there."""
        person = self.people[key]

        def found() -> list[EmailMessage]:
            return [mail for mail in self.sink.to(person.email) if subject in str(mail["Subject"])]

        [mail] = wait_for(f"{subject} to {person.email}", found)
        text = mail.get_body(("plain",))
        assert text is not None
        body = str(text.get_content())
        assert "{{" not in body
        return body

    def reached(self, key: str) -> None:
        """The campaign's page counts its one enrolment as a success."""
        page = f"/campaigns/{self.campaigns[key]}/"
        pattern = re.compile(r"<dd>100[.,]0\s*%<span class=\"sub\">1 (of|von) 1")
        wait_for(f"the figures of {key}", lambda: pattern.search(self.desk(key).get(page)))

    def rows(self, key: str, sql: str, *params: Any) -> list[tuple[Any, ...]]:
        return self.platform.rows(sql.replace("@", f"{TENANTS[key]}."), *params)


TENANTS = {
    "promoter-thanks": "nordwind",
    "passive-nine": "nordwind",
    "detractor-apology": "nordwind",
    "no-comment": "klarwerk",
    "cancellation": "klarwerk",
    "you-said": "klarwerk",
}
LATER_AT = {"nordwind": "newsletter_signup", "klarwerk": "support_closed"}
ANSWERS = {
    "promoter-thanks": (10, "Herrlich"),
    "passive-nine": (8, ""),
    "detractor-apology": (2, "Zu spät"),
    "no-comment": (9, ""),
    "cancellation": (3, "Too dear"),
}


def human() -> None:
    """Long enough to be one."""
    time.sleep(TOO_FAST_SECONDS + 0.3)


@pytest.fixture(scope="module")
def stage(platform: Platform, sink: Sink) -> Stage:
    """All templates side by side, so that they wait together."""
    desks = {slug: Desk(platform, slug) for slug in ("nordwind", "klarwerk")}
    about: dict[str, dict[str, int]] = {slug: prepare(desk) for slug, desk in desks.items()}
    people = {key: person(desks[slug], key) for key, slug in TENANTS.items()}
    answer(desks["klarwerk"], people["you-said"], 7, f"Where is the {THEME}?")
    campaigns = {key: begin(desks[slug], key, about[slug]) for key, slug in TENANTS.items()}
    for key, (score, comment) in ANSWERS.items():
        answer(desks[TENANTS[key]], people[key], score, comment)
    started = desks["klarwerk"].send(f"/campaigns/{campaigns['you-said']}/start/", "count")
    assert started.status == 302, started.body
    return Stage(platform, sink, desks, campaigns, people)


def prepare(desk: Desk) -> dict[str, int]:
    """No contact budget, answers by the API, and vouchers; what the templates ask for."""

    def pk(sql: str) -> int:
        return int(desk.platform.rows(sql.replace("@", f"{desk.slug}."))[0][0])

    saved = desk.send("/admin/contacts/contactbudget/1/change/", "min_days_between", min_days_between=0)
    assert saved.status == 302, saved.body
    survey = pk("SELECT survey_id FROM @triggers_triggerrule ORDER BY id LIMIT 1")
    saved = desk.send("/delighted/", "legal_source", survey=survey)
    assert saved.status == 302, saved.body
    worth = {"value_en": "10 % off", "value_de": "10 % Rabatt"}
    made = desk.send("/vouchers/new/", "pattern", name="Come back", kind="generated", pattern="SORRY-########", **worth)
    assert made.status == 302, made.body
    return {
        "survey": survey,
        "pool": pk("SELECT id FROM @incentives_voucherpool WHERE name = 'Come back'"),
        "here": pk("SELECT touchpoint_id FROM @triggers_delightedconnection"),
        "later": pk(f"SELECT id FROM @touchpoints_touchpoint WHERE key = '{LATER_AT[desk.slug]}'"),
    }


def person(desk: Desk, key: str) -> Person:
    """A contact who agreed to get mail, with an id that does not fit into an address as it is."""
    german = desk.slug == "nordwind"
    body = {
        "external_id": f"{key} & co", "email": f"{key}@{desk.slug}-customer.example", "name": "Zoë Öztürk",
        "locale": "de-AT" if german else "en",
    }  # fmt: skip
    made = desk.api("POST", "contacts", body)
    agreed = {"kind": "consent", "source": "form", "wording": "Yes.", "text_version": "1"}
    desk.api("POST", f"contacts/{made['id']}/legal-bases", agreed)
    return Person(made["id"], body["email"])


def answer(desk: Desk, by: Person, score: int, comment: str) -> None:
    """An answer that comes in by the API."""
    key = b64encode(f"{desk.platform.tenant(desk.slug)['api_key']}:".encode()).decode()
    body = {"person": by.id, "score": score, **({"comment": comment} if comment else {})}
    path, headers = "/v1/survey_responses.json", {"Authorization": f"Basic {key}"}
    made = desk.platform.request("POST", desk.host, path, body, headers)
    assert made.status == 201, made.body


def begin(desk: Desk, key: str, there: dict[str, int]) -> int:
    """Make the campaign of its template, shorten its waits in the editor's form, switch it on and publish it."""
    asked: dict[str, dict[str, Any]] = {
        "promoter-thanks": {
            "review_url": "https://reviews.example/nordwind", "referral_url": "https://friends.example/?x=1",
            "goal_touchpoint": there["later"],
        },
        "detractor-apology": {"survey": there["survey"], "pool": there["pool"]},
        "cancellation": {"touchpoint": there["here"], "pool": there["pool"]},
        "you-said": {
            "themes": THEME, "said_en": "The zeppelin is missing.", "did_en": "It flies again.",
        },
    }  # fmt: skip
    made = desk.send(f"/admin/campaigns/campaign/library/{key}/", "name", name=key, **asked.get(key, {}))
    assert made.status == 302, made.body
    path = urlsplit(made.headers["Location"]).path
    form = form_with(desk.get(path), "draft")
    draft = json.dumps(shortened(json.loads(form["draft"][0])))
    more = {"segment": "detractor"} if key == "cancellation" else {}
    values = {"draft": draft, "is_active": "on", "priority": RANK.get(key, 100), "_publish": "1", **more}
    assert desk.post(path, filled(form, values)).status == 302
    pk = int(path.split("/")[-3])
    [(version,)] = desk.platform.rows(
        f"SELECT current_version_id FROM {desk.slug}.campaigns_campaign WHERE id = %s", pk
    )
    assert version, desk.get(path)
    return pk


def shortened(draft: dict[str, Any]) -> dict[str, Any]:
    """The same steps with waits of a second, but for the last one before somebody calls."""

    def short(step: dict[str, Any]) -> dict[str, Any]:
        ways = {way: [short(one) for one in step[way]] for way in ("yes", "no") if way in step}
        wait = {"seconds": 1} if step["kind"] == "wait" and step["key"] != "patience" else {}
        return {**step, **ways, **wait}

    return {"steps": [short(step) for step in draft["steps"]]}


def test_promoters_are_thanked_asked_for_a_review_and_given_a_link_that_counts(stage: Stage) -> None:
    assert "Bewertung schreiben: https://reviews.example/nordwind" in stage.mail("promoter-thanks", "Danke, Zoë!")
    referral = stage.mail("promoter-thanks", "Ihr persönlicher Empfehlungslink")
    assert "https://friends.example/?x=1&ref=promoter-thanks%20%26%20co" in referral
    event = {
        "touchpoint": "newsletter_signup", "external_id": "friend-1", "occurred_at": datetime.now(UTC).isoformat(),
        "contact": {"external_id": "promoter-thanks & co"},
    }  # fmt: skip
    stage.desk("promoter-thanks").api("POST", "events", event)
    stage.reached("promoter-thanks")


def link_in(text: str, path: str) -> str:
    """The link of a mail that leads to a page of ours."""
    [link] = re.findall(rf"https?://\S+{path}[\w-]{{48}}", text)
    return str(link)


@pytest.mark.parametrize(
    ("key", "subject", "button"),
    [
        ("passive-nine", "Was fehlt noch zur 9, Zoë?", "Antwort ergänzen"),
        ("no-comment", "One sentence more, Zoë?", "Say why"),
    ],
)
def test_the_reason_is_added_to_the_very_answer_by_the_link_of_the_mail(
    stage: Stage, key: str, subject: str, button: str
) -> None:
    text = stage.mail(key, subject)
    assert f"{button}: http" in text
    score = ANSWERS[key][0]
    sent = respond(stage.platform, link_in(text, "/s/"), human, comment="It was cold.", score=score)
    assert sent.status == 303, sent.body
    found = stage.rows(
        key, "SELECT score, comment FROM @responses_response WHERE contact_id = %s", stage.people[key].id
    )
    assert found == [(score, "It was cold.")]
    stage.reached(key)


def test_detractors_get_an_apology_a_voucher_a_call_and_the_question_again(stage: Stage) -> None:
    key, desk, contact = "detractor-apology", stage.desk("detractor-apology"), stage.people["detractor-apology"]
    text = stage.mail(key, "Es tut uns leid, Zoë")
    [code] = re.findall(r"SORRY-\w{8}", text)
    assert f"10 % Rabatt, Code {code}" in text
    issued = stage.rows(key, "SELECT contact_id::text, status FROM @incentives_voucher WHERE code = %s", code)
    assert issued == [(contact.id, "issued")]

    sent = respond(stage.platform, link_in(text, "/s/call/"), human, call_back="0171 555, abends")
    assert sent.status == 303
    [(case,)] = stage.rows(key, "SELECT id FROM @cases_case WHERE contact_id = %s", contact.id)
    page = desk.get(f"/cases/{case}/")
    assert "0171 555, abends" in page
    wait_for("the question to rest", lambda: stage.rows(key, ASKS, stage.campaigns[key]) == [("pending", "case_open")])

    end = {"do": "close", "status": "solved", "outcome": "Called, and sorry."}
    closed = desk.post(f"/cases/{case}/", filled(form_with(page, "outcome"), end))
    assert closed.status == 302, closed.body
    again = invitation(stage, key)
    assert respond(stage.platform, again, human, score=9).status == 303
    stage.reached(key)
    # Ten days pass: who answered is not called.
    assert stage.rows(key, LATER, stage.campaigns[key]) == [("patience",)]
    wait_for("the end", lambda: stage.rows(key, ENDED, stage.campaigns[key]) == [("stopped", "new_response")])


def invitation(stage: Stage, key: str) -> str:
    """The link of the score 9 in the new survey's mail."""

    def found() -> list[str]:
        bodies = [mail.get_body(("html",)) for mail in stage.sink.to(stage.people[key].email)]
        return [link for body in bodies if body for link in re.findall(r'href="([^"]+\?score=9)"', body.get_content())]

    return wait_for("the question again", found)[0]


def test_who_leaves_is_asked_why_and_offered_a_voucher_that_can_be_redeemed(stage: Stage) -> None:
    key, desk = "cancellation", stage.desk("cancellation")
    reason = stage.mail(key, "May we ask why you are leaving?")
    assert "/s/" in link_in(reason, "/s/")
    offer = stage.mail(key, "If you would like to come back, Zoë")
    [code] = re.findall(r"SORRY-\w{8}", offer)
    assert "10 % off" in offer
    desk.api("POST", "vouchers/redeem", {"code": code, "order": "A-1"})
    stage.reached(key)
    taken = [step for (step,) in stage.rows(key, STEPS, stage.campaigns[key])]
    assert taken == ["hour", "reason", "two-days", "voucher", "has-voucher", "offer", "done"]


def test_who_raised_a_theme_hears_what_became_of_it(stage: Stage) -> None:
    key = "you-said"
    text = stage.mail(key, "You told us, and we changed something")
    assert "The zeppelin is missing." in text
    assert "It flies again." in text
    answer(stage.desk(key), stage.people[key], 9, "Now it is there.")
    stage.reached(key)
