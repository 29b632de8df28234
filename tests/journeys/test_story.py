"""The main story with real processes: an event becomes a survey, an answer, a follow-up and a number."""

import re
import shlex
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from apps.responses.suspicion import BURST_SECONDS
from tests.browsing import AGENT
from tests.config.test_demo import refused
from tests.journeys.platform import Answer, Home, Platform, Sink, free_port, wait_for

pytestmark = [pytest.mark.chromium, pytest.mark.timeout(420)]
PHONE = {"width": 390, "height": 844}
HUMAN_MS = 1300


@dataclass(frozen=True)
class Story:
    """One contact's way through one tenant."""

    slug: str
    other: str
    touchpoint: str
    api_host: str
    locale: str
    score: int
    comment: str
    question: str
    wording: str
    has_case: bool


STORIES = [
    Story(
        slug="nordwind",
        other="klarwerk",
        touchpoint="order_received",
        api_host="localhost",
        locale="de-AT",
        score=3,
        comment="Das Paket kam eine Woche zu spät <script>alert(1)</script>",
        question="Wie wahrscheinlich",
        wording="detractor",
        has_case=True,
    ),
    Story(
        slug="klarwerk",
        other="nordwind",
        touchpoint="support_closed",
        api_host="klarwerk.localhost",
        locale="en",
        score=10,
        comment="",
        question="How likely",
        wording="promoter",
        has_case=False,
    ),
]


def event(story: Story, number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "touchpoint": story.touchpoint,
        "external_id": f"journey-{number}",
        "occurred_at": datetime.now(UTC).isoformat(),
        "contact": {
            "external_id": f"journey-contact-{number}",
            "email": address(story, number),
            "name": "Zoë Öztürk",
            "locale": story.locale,
            "properties": {"plan": "gold"},
        },
        "properties": {"total": 129.9},
        **changes,
    }


def address(story: Story, number: int = 1) -> str:
    return f"zoe{number}@{story.slug}-customer.example"


def post(platform: Platform, story: Story, body: Any, host: str = "", key: str = "") -> Answer:
    key = key or platform.tenant(story.slug)["api_key"]
    return platform.request("POST", host or story.api_host, "/api/v1/events", body, {"Authorization": f"Bearer {key}"})


def sign_in(context: BrowserContext, platform: Platform, slug: str, path: str = "/") -> Page:
    """A page of the tenant's host, signed in through the form as its administrator."""
    user = next(u for u in platform.tenant(slug)["users"] if u["role"] == "admin")
    page = context.new_page()
    page.goto(f"http://{slug}.localhost:{platform.port}{path}")
    page.locator("input[name=username]").fill(user["user"])
    page.locator("input[name=password]").fill(user["password"])
    page.locator("input[name=password]").press("Enter")
    page.wait_for_load_state()
    return page


def shorten(page: Page, platform: Platform, story: Story, delay: str) -> None:
    """Change the delays of the touchpoint's rules in the tenant's admin, as a CX manager would."""
    host, model = f"http://{story.slug}.localhost:{platform.port}", "triggers/triggerrule"
    page.goto(f"{host}/admin/{model}/?q={story.touchpoint}")
    links = page.locator(f"a[href*='/admin/{model}/'][href*='/change/']").all()
    assert links
    for path in dict.fromkeys(str(link.get_attribute("href")).partition("?")[0] for link in links):
        page.goto(f"{host}{path}")
        for box in page.locator("input[name=delay], input[name$='-delay']:not([name*='__prefix__'])").all():
            box.fill(delay)
        page.locator("[name=_save]").first.click()
        page.wait_for_url(re.compile(rf"/admin/{model}/(\?|$)"))


def hurry(page: Page, platform: Platform, story: Story) -> None:
    """Make the waits of the segment's campaigns a second long in the sequence editor, and publish them."""
    host = f"http://{story.slug}.localhost:{platform.port}"
    page.goto(f"{host}/admin/campaigns/campaign/?segment__exact={story.wording}")
    links = page.locator("a[href*='/admin/campaigns/campaign/'][href*='/change/']").all()
    assert links
    for path in dict.fromkeys(str(link.get_attribute("href")).partition("?")[0] for link in links):
        page.goto(f"{host}{path}")
        waits = page.locator(".f-kind-wait > .f-card > .f-open")
        expect(waits.first).to_be_visible()
        for number in range(waits.count()):
            waits.nth(number).click()
            panel = page.get_by_role("dialog")
            panel.get_by_label("How long", exact=True).fill("1")
            panel.get_by_label("How long: Unit").select_option("seconds")
            panel.get_by_role("button", name="Done").click()
            expect(panel).to_be_hidden()
        page.get_by_role("button", name="Publish").click()
        expect(page.get_by_text(re.compile(r"Version \d+ is published"))).to_be_visible()


@pytest.fixture(scope="module")
def story(broker: str) -> Story:
    """Each broker carries one of the stories: both do for either what they do for any task."""
    return STORIES[["redis", "files"].index(broker)]


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(locale="en-GB")
    yield opened
    opened.close()


def check_invitation(platform: Platform, story: Story, mail: EmailMessage) -> str:
    """Asserts what the invitation says; returns the link of the story's score."""
    html = mail.get_body(("html",))
    text = mail.get_body(("plain",))
    assert html is not None
    assert text is not None
    body, markup = str(text.get_content()), str(html.get_content())
    host = f"http://{story.slug}.localhost:{platform.port}"
    links = [link for link in re.findall(r'href="([^"]+)"', markup) if "?score=" in link]
    assert len(links) == 11
    assert all(link.startswith(f"{host}/s/") for link in links)
    assert story.question in body
    assert story.question in markup
    assert "Zoë Öztürk" in markup
    assert re.search(rf'lang="{story.locale[:2]}"', markup)
    colour = platform.rows(f"SELECT accent, brand_name FROM {story.slug}.surveys_theme")[0]
    assert colour[0] in markup
    assert colour[1] in str(mail["From"]) + markup
    leave = str(mail["List-Unsubscribe"]).strip(" <>\r\n")
    assert leave.startswith(f"{host}/mail/u/")
    assert leave in body
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    return links[story.score]


def rgb(colour: str) -> str:
    """``#0f6e84`` as the browser says it."""
    return "rgb({}, {}, {})".format(*(int(colour[i : i + 2], 16) for i in (1, 3, 5)))


def answer_survey(browser: Browser, story: Story, link: str, colour: str) -> None:
    """Open the link on a phone without JavaScript and answer, page by page, as fast as a human can."""
    phone = browser.new_context(
        viewport=PHONE,
        java_script_enabled=False,
        locale="en-GB",
        user_agent=AGENT,  # type: ignore[arg-type]
    )
    page = phone.new_page()
    seen: list[str] = []
    page.on("request", lambda request: seen.append(urlsplit(request.url).hostname or ""))
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(link)
    expect(page.locator("form button")).to_have_css("background-color", rgb(colour))
    expect(page.locator(f"input[name=score][value='{story.score}']")).to_be_checked()
    expect(page.locator(f".w.{story.wording}")).to_be_visible()
    expect(page.locator(".w.neutral")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.locator("textarea[name=comment]").fill(story.comment)
    page.wait_for_timeout(HUMAN_MS)
    page.locator("form button").click()
    for number in range(1, 9):
        page.wait_for_url(re.compile(rf"/thanks|page={number}"))
        if "/thanks" in page.url:
            break
        page.locator("fieldset .scale label:last-child").first.click()
        page.wait_for_timeout(HUMAN_MS)
        page.locator("form button").click()
    assert "/thanks" in page.url
    assert set(seen) - {""} == {f"{story.slug}.localhost"}
    assert not phone.cookies()
    assert not complaints
    phone.close()


def test_it_starts_from_nothing_answers_and_leaves_no_process_behind(home: Home, tmp_path: Path) -> None:
    demo = Platform(home, tmp_path / "log.txt")
    try:
        assert [tenant["slug"] for tenant in demo.demo["tenants"]] == ["nordwind", "klarwerk"]
        assert paste(demo, "ada@first.example").status == 202
        assert len(demo.processes()) > 10
        assert "another one is running" in refused(free_port(), home.data)
    finally:
        code = demo.stop(signal.SIGINT)
    assert code == 0
    assert home.told() == demo.demo


@pytest.mark.parametrize("broker", ["redis"], indirect=True)  # The campaigns' journey does it with files.
def test_an_event_becomes_a_survey_an_answer_a_follow_up_and_a_number(
    platform: Platform, sink: Sink, browser: Browser, context: BrowserContext, story: Story
) -> None:
    page = sign_in(context, platform, story.slug, "/admin/")
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    shorten(page, platform, story, "2 seconds")
    hurry(page, platform, story)
    page.goto(f"http://{story.slug}.localhost:{platform.port}/")
    before = platform.census(story.other)
    count = platform.rows(f"SELECT count(*) FROM {story.slug}.responses_response")[0][0]

    accepted = post(platform, story, event(story))
    assert accepted.status == 202, accepted.body
    assert post(platform, story, event(story)).json() == accepted.json()

    [mail] = wait_for("the invitation", lambda: sink.to(address(story)))
    link = check_invitation(platform, story, mail)
    [(status, reason, invited)] = platform.rows(
        f"""SELECT d.status, d.reason, i.status FROM {story.slug}.triggers_decision d
            JOIN {story.slug}.surveys_invitation i ON i.id = d.invitation_id WHERE d.event_id = %s""",
        accepted.json()["id"],
    )
    assert (status, reason, invited) == ("scheduled", "ok", "queued")

    for score in range(11):
        path = f"{urlsplit(link).path}?score={score}"
        assert platform.request("GET", f"{story.slug}.localhost", path).status == 200
        assert platform.request("HEAD", f"{story.slug}.localhost", path).status == 200
    assert platform.rows(f"SELECT count(*) FROM {story.slug}.responses_response")[0][0] == count

    time.sleep(BURST_SECONDS + 1)  # Whoever opens all the scores of a mail and answers at once is a machine.
    [(colour,)] = platform.rows(f"SELECT accent FROM {story.slug}.surveys_theme")
    answer_survey(browser, story, link, colour)
    [(response_id, score, comment, suspicions, is_partial)] = platform.rows(
        f"""SELECT r.id, r.score, r.comment, r.suspicions, r.is_partial FROM {story.slug}.responses_response r
            JOIN {story.slug}.surveys_invitation i ON i.id = r.invitation_id
            JOIN {story.slug}.messaging_outgoingemail e ON e.id = i.email_id WHERE e.to_email = %s""",
        address(story),
    )
    assert (score, comment, suspicions, is_partial) == (story.score, story.comment, [], False)

    follow_up = wait_for("the follow-up", lambda: sink.to(address(story))[1:])[0]
    check_follow_up(platform, story, follow_up)
    cases = platform.rows(f"SELECT count(*) FROM {story.slug}.cases_case WHERE response_id = %s", response_id)
    assert cases == [(int(story.has_case),)]

    check_workspace(page, platform, story, count + 1)
    assert not complaints
    assert platform.census(story.other) == before


def check_follow_up(platform: Platform, story: Story, mail: EmailMessage) -> None:
    """The mail of the segment, in the contact's language, naming contact and touchpoint, with a way out."""
    text = mail.get_body(("plain",))
    assert text is not None
    body = str(text.get_content())
    variant = "" if story.comment else "_no_comment"
    language = story.locale[:2]
    [(subject,)] = platform.rows(
        f"""SELECT s.step->'subject{variant}'->>%s FROM {story.slug}.campaigns_campaign c
            JOIN {story.slug}.campaigns_campaignversion v ON v.id = c.current_version_id,
            jsonb_array_elements(v.document->'steps') WITH ORDINALITY AS s (step, place)
            WHERE c.segment = %s AND s.step->>'kind' = 'email' ORDER BY c.id, s.place LIMIT 1""",
        language,
        story.wording,
    )
    fixed = max(re.split(r"\{\{.*?\}\}", subject), key=len)
    assert fixed in str(mail["Subject"])
    assert "Zoë Öztürk" in body
    assert "{{" not in body
    assert mail["List-Unsubscribe"] is not None


def check_workspace(page: Page, platform: Platform, story: Story, count: int) -> None:
    """Dashboard, responses and decisions show what happened."""
    host = f"http://{story.slug}.localhost:{platform.port}"
    page.goto(f"{host}/?days=365")
    total = platform.rows(
        f"""SELECT count(*) FROM {story.slug}.responses_response
            WHERE NOT is_suspected AND score IS NOT NULL
            AND (answered_at AT TIME ZONE 'UTC')::date > (now() AT TIME ZONE 'UTC')::date - 365"""
    )[0][0]
    # The year of the demo began on a day that has just left the period, or is about to.
    assert count - 20 <= total <= count
    expect(page.locator("main")).to_contain_text(f"{total:,}")
    expect(page.locator("main")).to_contain_text("±")
    page.goto(f"{host}/responses/")
    first = page.locator("main")
    expect(first).to_contain_text("Zoë Öztürk")
    if story.comment:
        expect(first).to_contain_text(story.comment)
    page.goto(f"{host}/decisions/?{urlencode({'q': address(story)})}")
    expect(page.locator("main")).to_contain_text("Zoë Öztürk")


def test_bad_events_are_refused_with_every_field_named(platform: Platform, story: Story) -> None:
    bad = event(story, 2, touchpoint="no such", occurred_at="yesterday", colour="red")
    bad["contact"]["email"] = 7
    answer = post(platform, story, bad)
    assert answer.status == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    fields = {error["field"] for error in answer.json()["errors"]}
    assert {"occurred_at", "colour", "contact.email"} <= fields
    unknown = post(platform, story, event(story, 2, touchpoint="unheard_of"))
    assert (unknown.status, unknown.json()["errors"][0]["field"]) == (422, "touchpoint")
    assert post(platform, story, b"{not json").status == 400


def test_a_key_opens_its_own_tenant_only(platform: Platform, story: Story) -> None:
    foreign = platform.tenant(story.other)["api_key"]
    assert post(platform, story, event(story, 3), host=f"{story.slug}.localhost", key=foreign).status == 401
    assert post(platform, story, event(story, 3), key="rk_nordwind_" + "x" * 43).status == 401
    assert post(platform, story, event(story, 3), host="unknown.localhost").status == 404


@pytest.mark.parametrize("broker", ["redis"], indirect=True)
def test_twenty_answers_at_once_make_one_response(platform: Platform, sink: Sink, story: Story) -> None:
    assert post(platform, story, event(story, 4)).status == 202
    [mail] = wait_for("the invitation", lambda: sink.to(address(story, 4)))
    text = mail.get_body(("plain",))
    assert text is not None
    path = urlsplit(re.findall(r"http\S+/s/[\w-]+", str(text.get_content()))[0]).path
    form = urlencode({"score": 8, "comment": "Fine"}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    def submit(_: int) -> int:
        return platform.request("POST", f"{story.slug}.localhost", path, form, headers).status

    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(submit, range(20))) == {303}
    rows = platform.rows(
        f"""SELECT count(*) FROM {story.slug}.responses_response r
            JOIN {story.slug}.contacts_contact c ON c.id = r.contact_id WHERE c.email = %s""",
        address(story, 4),
    )
    assert rows == [(1,)]


@pytest.mark.parametrize("broker", ["redis"], indirect=True)
def test_one_click_unsubscribing_stops_the_follow_up(platform: Platform, sink: Sink, story: Story) -> None:
    assert post(platform, story, event(story, 5)).status == 202
    [mail] = wait_for("the invitation", lambda: sink.to(address(story, 5)))
    path = urlsplit(str(mail["List-Unsubscribe"]).strip(" <>\r\n")).path
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = platform.request("POST", f"{story.slug}.localhost", path, b"List-Unsubscribe=One-Click", headers)
    assert answer.status == 200
    later = event(story, 6)
    later["contact"] = event(story, 5)["contact"]
    accepted = post(platform, story, later)
    decision = wait_for(
        "the decision",
        lambda: platform.rows(
            f"SELECT status, reason FROM {story.slug}.triggers_decision WHERE event_id = %s", accepted.json()["id"]
        ),
    )
    assert decision == [("blocked", "suppressed")]
    assert len(sink.to(address(story, 5))) == 1


def test_operators_and_tenants_do_not_meet(platform: Platform, browser: Browser, story: Story) -> None:
    operator = platform.demo["operator"]
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"http://localhost:{platform.port}/admin/")
    page.locator("input[name=username]").fill(operator["user"])
    page.locator("input[name=password]").fill(operator["password"])
    page.locator("input[name=password]").press("Enter")
    page.wait_for_load_state()
    page.goto(f"http://localhost:{platform.port}/admin/tenants/tenant/")
    expect(page.locator("body")).to_contain_text(re.compile(story.slug, re.IGNORECASE))
    page.goto(f"http://localhost:{platform.port}/admin/django_celery_beat/periodictask/")
    expect(page.locator("body")).to_contain_text("tick")
    session = next(c["value"] for c in context.cookies() if c["name"] == "sessionid")
    answer = platform.request("GET", f"{story.slug}.localhost", "/admin/", headers={"Cookie": f"sessionid={session}"})
    assert answer.status == 302
    assert "login" in answer.headers["Location"]
    context.close()


def paste(platform: Platform, email: str) -> Answer:
    """Do what the printed curl command does, for another person each time: nobody is asked twice in some days."""
    said = wait_for("the welcome", lambda: "Authorization: Bearer" in platform.log() and platform.log())
    words = shlex.split(said[said.index("curl ") :].split("\n\n")[0].replace("\\\n", " "))
    body = words[words.index("-d") + 1]
    assert "ada@example.com" in body
    headers = dict(words[n + 1].split(": ", 1) for n, word in enumerate(words) if word == "-H")
    host, _, path = words[1].removeprefix("http://").partition("/")
    body = body.replace("ada@example.com", email)
    return platform.request("POST", host.partition(":")[0], f"/{path}", body.encode(), headers)


def test_the_printed_curl_can_be_pasted_and_its_mail_arrives(platform: Platform, sink: Sink, broker: str) -> None:
    email = {"redis": "ada@example.com", "files": "ada@files.example"}[broker]
    assert paste(platform, email).status == 202
    assert wait_for("the mail", lambda: sink.to(email))


@pytest.mark.parametrize("broker", ["files"], indirect=True)  # A second time they would be there.
def test_a_key_made_on_the_shell_opens_a_tenant_made_on_the_shell(platform: Platform) -> None:
    made = platform.manage("create_tenant", "acme", "Acme Ltd", "--user", "you@acme.example")
    assert f"http://acme.localhost:{platform.port}" in made
    key = platform.manage("create_api_key", "acme", "shop", "--scope", "events:write").split()[-1]
    answer = post(platform, STORIES[0], event(STORIES[0], 7), key=key)
    # A new tenant has no touchpoints yet; the key itself is good.
    assert (answer.status, answer.json()["errors"][0]["field"]) == (422, "touchpoint")
    assert platform.request("GET", "acme.localhost", "/").status == 302
