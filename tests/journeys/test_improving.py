"""Where it hurts shows on the map, something is done about it, and later answers say whether it helped.

A shop whose customers hardly reach its service (R31), and a telecom's customers whose trouble is paying the bill (R32):
on the platform as an operator starts it, by its pages, its API and its workers. Answers carry the day they were given
on, for a test has no two months.
"""

import re
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.journeys.desk import Desk, filled, form_with
from tests.journeys.platform import Platform, wait_for

pytestmark = [pytest.mark.timeout(300), pytest.mark.parametrize("broker", ["files"], indirect=True, scope="package")]
UNHAPPY, HAPPY = (0, 2, 3, 4, 5, 6, 6, 7), (10, 9, 10, 9, 8, 9, 10, 9)
MIXED, HARDLY_BETTER = (8, 9, 9, 7, 10, 8, 9, 6), (8, 9, 9, 7, 10, 8, 9, 7)
ROUNDS, SINCE = 2, 20
"""Each of the scores is given so often on both sides of the day, so many days ago, on which something changed."""


@dataclass
class Improver:
    """Whoever looks after the customers' journey, at the tenant's pages."""

    desk: Desk

    @property
    def platform(self) -> Platform:
        return self.desk.platform

    def words(self, path: str) -> str:
        """What a page says, without its markup."""
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", self.desk.get(path))).split())

    def card(self, name: str) -> str:
        """The touchpoint's card on the map of the last 30 days, as it stands there."""
        page = self.desk.get("/journey/?days=30")
        cards = re.findall(r"<article class=\"jm-card.*?</article>", page, re.DOTALL)
        [found] = [card for card in cards if f">{name}</a>" in card]
        return str(found)

    def answers(self, touchpoint: str, scores: tuple[int, ...], *, days: range) -> None:
        """Customers answer, by the API, on these days before today."""
        self._ask_at(touchpoint)
        key = b64encode(f"{self.platform.tenant(self.desk.slug)['api_key']}:".encode()).decode()
        for number in range(len(scores) * ROUNDS):
            name = f"{touchpoint}-{days.start}-{number}"
            made = self.desk.api("POST", "contacts", {"external_id": name, "email": f"{name}@customers.example"})
            at = datetime.now(UTC) - timedelta(days=days[number % len(days)])
            body = {"person": made["id"], "score": scores[number % len(scores)], "created_at": int(at.timestamp())}
            answer = self.platform.request(
                "POST", self.desk.host, "/v1/survey_responses.json", body, {"Authorization": f"Basic {key}"}
            )
            assert answer.status == 201, answer.body

    def _ask_at(self, touchpoint: str) -> None:
        """Where answers count that come in like this is no field of any form."""
        with psycopg.connect(self.platform.database) as connection:
            done = connection.execute(
                f"UPDATE {self.desk.slug}.triggers_delightedconnection SET touchpoint_id = "
                f"(SELECT id FROM {self.desk.slug}.touchpoints_touchpoint WHERE key = %s)",
                [touchpoint],
            )
            assert done.rowcount == 1

    def does(self, title: str, touchpoint: str, hypothesis: str) -> str:
        """Log an improvement from the touchpoint's page, begin it, and say since when it is in effect."""
        assert f"/actions/new/?touchpoint={touchpoint}" in self.desk.get(f"/journey/touchpoints/{touchpoint}/")
        values = {"title": title, "hypothesis": hypothesis, "window": SINCE}
        made = self.desk.send(f"/actions/new/?touchpoint={touchpoint}", "hypothesis", **values)
        assert made.status == 302, made.body
        path = urlsplit(made.headers["Location"]).path
        day = (datetime.now(UTC) - timedelta(days=SINCE)).date()
        for to in ("running", "done"):
            form = form_with(self.desk.get(path), "on")
            moved = self.desk.post(f"{path}move/", filled(form, {"to": to, "on": day.isoformat()}))
            assert moved.status == 302, moved.body
        return path


@pytest.fixture(scope="module")
def desks(platform: Platform) -> dict[str, Improver]:
    found = {}
    for slug in ("nordwind", "klarwerk"):
        desk = Desk(platform, slug)
        [(survey,)] = platform.rows(f"SELECT survey_id FROM {slug}.triggers_triggerrule ORDER BY id LIMIT 1")
        assert desk.send("/delighted/", "legal_source", survey=survey).status == 302
        found[slug] = Improver(desk)
    return found


def test_a_shop_whose_service_is_hard_to_reach_sees_that_a_live_chat_helped(desks: dict[str, Improver]) -> None:
    shop = desks["nordwind"]
    name = "Getting hold of the service"
    [(stage,)] = shop.platform.rows("SELECT stage_id FROM nordwind.touchpoints_touchpoint WHERE key = 'support_closed'")
    place = {"name_en": name, "name_de": "Den Service erreichen", "key": "service_reached"}
    made = shop.desk.send(f"/journey/arrange/touchpoints/new/?on={stage}", "key", **place)
    assert made.status == 302, made.body
    assert "is-pain" not in shop.card(name)

    shop.answers("service_reached", UNHAPPY, days=range(SINCE + 1, 30))
    card = wait_for("the pain on the map", lambda: "is-pain" in shop.card(name) and shop.card(name))
    assert "detractors" in card or "Kritiker" in card or "Detraktor" in card

    action = shop.does("Live chat and a new contact page", "service_reached", "Nobody finds the number.")
    before = shop.words(action)
    assert "NPS" not in before or "up" not in before

    shop.answers("service_reached", HAPPY, days=range(1, SINCE))
    said = wait_for("the verdict", lambda: verdict(shop.words(action)))
    assert said == "up"
    assert "Live chat and a new contact page" in shop.words("/journey/touchpoints/service_reached/")
    assert verdict(shop.words("/actions/?q=Live+chat")) == "up"


def test_a_telecom_finds_the_step_of_the_bill_that_hurts_and_sees_that_the_others_were_not_it(
    desks: dict[str, Improver],
) -> None:
    telecom = desks["klarwerk"]
    put_on = telecom.desk.send("/journey/templates/?industry=telecom", "phases", industry="telecom", phases="billing")
    assert put_on.status == 302, put_on.body
    for touchpoint, scores in {"invoice_sent": MIXED, "invoice_explained": MIXED, "payment_received": UNHAPPY}.items():
        telecom.answers(touchpoint, scores, days=range(SINCE + 1, 30))

    def chain() -> str:
        return telecom.words("/journey/stages/billing/?days=30")

    words = wait_for("the step that hurts", lambda: verdict(chain()) and chain())
    assert verdict(words) == "down", "from explanation to payment the score falls"
    assert "is-pain" in telecom.desk.get("/journey/stages/billing/?days=30")

    action = telecom.does("Pay by one click, without signing in", "payment_received", "The portal asks for a password.")
    for touchpoint, scores in {"invoice_sent": HARDLY_BETTER, "payment_received": HAPPY}.items():
        telecom.answers(touchpoint, scores, days=range(1, SINCE))
    assert wait_for("the verdict", lambda: verdict(telecom.words(action))) == "up"

    other = telecom.does("Nicer paper", "invoice_sent", "It makes no difference.")
    wait_for("no verdict where nothing changed", lambda: re.search("chance|Zufall", telecom.words(other)))
    assert verdict(telecom.words(other)) == ""


def verdict(words: str) -> str:
    """What a page says of a change, in whichever language it is in: "" if it says nothing."""
    likely = "likely real|wahrscheinlich echt|kaum Zufall"
    found = re.search(rf"(up|down|um) \d+(?:,| gestiegen,| gesunken,) ({likely})", words)
    if found is None:
        return ""
    return "down" if "down" in found[0] or "gesunken" in found[0] else "up"
