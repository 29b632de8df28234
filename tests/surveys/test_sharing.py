"""A public survey is passed on: every address carries what was chosen, and nothing is shown of what is not public."""

import io
import re
from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import segno
from django.contrib.auth.models import Permission
from django.test import Client
from django_tenants.utils import tenant_context
from PIL import Image

from apps.accounts.models import User
from apps.surveys import library, logos, versions
from apps.surveys.definition import Question, load
from apps.surveys.models import Survey, Theme
from apps.surveys.sharing import Links, html_row, plain_row
from apps.touchpoints.models import Touchpoint
from tests import factories
from tests.admin.conftest import TENANT, client_for
from tests.surveys.test_logos import picture

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BASE = "http://nordwind.resonanz.test/s/shop"


@pytest.fixture
def survey(tenant: Any) -> Survey:
    """A public survey whose address may carry a store, at a tenant with two touchpoints."""
    factories.TouchpointFactory()
    Touchpoint.objects.create(key="old", name={"en": "Old place"}, stage=factories.StageFactory(), is_active=False)
    row = library.create("order-received", "shop", NOW)
    row.is_public, row.public_properties = True, ["store", "desk no", "lang"]
    row.save()
    return row


@pytest.fixture
def client(tenant: Any) -> Client:
    return client_for(User.objects.create_superuser("chief", "chief@example.com"), TENANT)


def page(survey: Survey, client: Client, end: str = "", **query: str) -> Any:
    return client.get(f"/admin/surveys/survey/{survey.pk}/share/{end}", query)


def text(answer: Any) -> str:
    assert answer.status_code == 200, answer.headers
    return unescape(answer.content.decode())


def lead(entry: str = "order-received") -> Question:
    found = load(versions.document_of(Survey(), *library.rows(library.entry(entry), Survey()))).lead  # type: ignore[arg-type]
    assert found is not None
    return found


class Shape(HTMLParser):
    """Which elements are open, and every link."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.open.append(tag)
        self.links += [value for name, value in attrs if name == "href"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


# --- the page ---


def test_the_form_of_a_survey_leads_to_its_share_page(survey: Survey, client: Client) -> None:
    change = client.get(f"/admin/surveys/survey/{survey.pk}/change/")
    assert f'href="/admin/surveys/survey/{survey.pk}/share/' in text(change)
    assert f'value="{BASE}"' in text(page(survey, client))


def test_every_address_carries_what_was_chosen(survey: Survey, client: Client) -> None:
    chosen = {"touchpoint": "order_received", "p-store": "Köln & Süd", "p-desk no": "7", "lang": "de"}
    answer = page(survey, client, **chosen)
    links: Links = answer.context["links"]
    for url in (links.page, links.kiosk, links.score(9)):
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        expected = {"touchpoint": "order_received", "store": "Köln & Süd", "desk no": "7", "lang": "de"}
        assert query == ({**expected, "score": "9"} if url == links.score(9) else expected)
        assert url in text(answer)
    assert links.page.startswith(f"{BASE}?")
    assert links.kiosk.startswith(f"{BASE}/kiosk?")
    assert 'value="Köln & Süd"' in text(answer)
    code = re.search(r'src="([^"]*qr\.svg[^"]*)"', text(answer))
    assert code is not None
    drawn = client.get(code[1]).content
    buffer = io.BytesIO()
    segno.make_qr(links.page, error="q", boost_error=False).save(buffer, kind="svg", scale=8, light="#ffffff")
    assert drawn == buffer.getvalue()


def test_a_property_cannot_take_the_place_of_what_the_page_reads_itself(survey: Survey, client: Client) -> None:
    answer = page(survey, client)
    assert list(answer.context["form"].fields) == ["touchpoint", "p-store", "p-desk no", "lang"]


def test_only_active_touchpoints_can_be_chosen(survey: Survey, client: Client) -> None:
    answer = page(survey, client, touchpoint="old", **{"p-store": "A"})
    assert "Old place" not in text(answer)
    assert "Order received" in text(answer)
    assert answer.context["links"].page == f"{BASE}?store=A"
    assert answer.context["form"].errors["touchpoint"]


def test_a_value_that_is_too_long_is_told_and_left_out(survey: Survey, client: Client) -> None:
    answer = page(survey, client, **{"p-store": "x" * 101})
    assert "at most 100 characters" in text(answer)
    assert answer.context["links"].page == BASE


def test_a_link_too_long_for_a_code_is_told(survey: Survey, client: Client) -> None:
    survey.public_properties = [f"name{number}" for number in range(20)]
    survey.save()
    values = {f"p-name{number}": "ä" * 100 for number in range(20)}
    assert "too long for a QR code" in text(page(survey, client, **values))
    assert page(survey, client, "qr.svg", **values).status_code == 404


def test_what_is_typed_into_the_address_does_not_become_markup(survey: Survey, client: Client) -> None:
    evil = '"><script>alert(1)</script>'
    for end in ("", "poster/"):
        answer = page(survey, client, end, **{"p-store": evil, evil: evil, "paper": evil})
        assert b"<script>alert" not in answer.content


def test_a_survey_that_is_not_public_says_how_to_make_it_so(survey: Survey, client: Client) -> None:
    Survey.objects.update(is_public=False)
    said = text(page(survey, client))
    assert "Switch on “public link”" in said
    assert "/s/shop" not in said
    for end in ("qr.svg", "qr.png", "poster/"):
        assert page(survey, client, end).status_code == 404
    reader = User.objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_survey"))
    assert "Somebody who may change the survey" in text(page(survey, client_for(reader, TENANT)))


@pytest.mark.parametrize("change", [{"is_active": False}, {"closes_at": NOW.replace(year=2020)}, {"archived_at": NOW}])
def test_a_survey_that_takes_no_answers_says_so(survey: Survey, client: Client, change: dict[str, Any]) -> None:
    assert "nobody can answer" not in text(page(survey, client))
    Survey.objects.update(**change)
    assert "nobody can answer" in text(page(survey, client))


def test_a_survey_without_questions_still_has_its_link(tenant: Any, client: Client) -> None:
    empty = Survey.objects.create(key="shop", name={"en": "Shop"}, is_public=True)
    assert BASE in text(page(empty, client))
    assert page(empty, client, "poster/").status_code == 404


def test_a_survey_that_is_not_there_has_no_page(survey: Survey, client: Client) -> None:
    for end in ("", "qr.svg", "qr.png", "poster/"):
        assert client.get(f"/admin/surveys/survey/{survey.pk + 1}/share/{end}").status_code in (302, 404)


@pytest.mark.parametrize("end", ["", "qr.svg", "qr.png", "poster/"])
def test_only_who_may_see_surveys_sees_it(survey: Survey, end: str) -> None:
    nobody = User.objects.create_user("nobody", is_staff=True)
    assert page(survey, client_for(nobody, TENANT), end).status_code == 403
    assert page(survey, Client(headers={"host": TENANT}), end).status_code == 302


def test_another_tenants_survey_is_not_found(survey: Survey, other_tenant: Any) -> None:
    with tenant_context(other_tenant):
        other = client_for(User.objects.create_superuser("chief"), "klarwerk.resonanz.test")
        assert page(survey, other, "qr.svg").status_code == 404
        theirs = library.create("checkout", "shop", NOW)
        Survey.objects.update(is_public=True)
        assert "http://klarwerk.resonanz.test/s/shop" in text(page(theirs, other))


# --- code and poster ---


def test_the_code_is_a_drawing_and_a_picture(survey: Survey, client: Client) -> None:
    drawing, download = page(survey, client, "qr.svg"), page(survey, client, "qr.png", download="")
    assert drawing.headers["Content-Type"] == "image/svg+xml"
    assert b"<script" not in drawing.content
    assert "Content-Disposition" not in drawing.headers
    assert download.headers["Content-Disposition"] == 'attachment; filename="shop.png"'
    with Image.open(io.BytesIO(download.content)) as image:
        assert (image.format, image.width > 600) == ("PNG", True)


@pytest.mark.parametrize("paper", ["a4", "a5", "letter", "wrong"])
def test_the_poster_has_brand_question_code_and_address(survey: Survey, client: Client, paper: str) -> None:
    Theme.objects.create(pk=1, brand_name="Nordwind", accent="#123456", font="serif")
    answer = page(survey, client, "poster/", paper=paper, touchpoint="order_received")
    said = text(answer)
    for expected in (
        lead().text["en"], lead().text["de"], "Nordwind", "<strong>nordwind.resonanz.test/s/shop</strong>",
        "qr.svg?touchpoint=order_received", f"@page{{size:{'a4' if paper == 'wrong' else paper} portrait}}", "#123456",
    ):  # fmt: skip
        assert expected in said
    nonce = re.search(r'<style nonce="([^"]+)"', said)
    assert nonce is not None
    policy = answer.headers["Content-Security-Policy"]
    assert f"'nonce-{nonce[1]}'" in re.search(r"style-src-elem ([^;]*)", policy)[1]  # type: ignore[index]
    assert "<script>" not in said


def test_the_poster_shows_the_logo_and_the_language_that_is_wanted(survey: Survey, client: Client) -> None:
    theme = Theme.objects.create(pk=1, brand_name="Nordwind")
    logos.keep(theme=theme, picture=logos.read(picture()))
    german = text(page(survey, client, "poster/", poster="de"))
    assert f'src="/brand/{theme.logo_digest}"' in german
    assert lead().text["de"] in german
    assert lead().text["en"] not in german
    assert '<html lang="de">' in german
    assert page(survey, client, "poster/", poster="xx").status_code == 404


def test_a_question_in_one_language_stands_on_the_poster_once(tenant: Any, client: Client) -> None:
    row = Survey.objects.create(key="shop", name={"en": "Shop"}, is_public=True)
    row.questions.create(key="nps", kind="nps", text={"de": "Nur deutsch?"})
    assert text(page(row, client, "poster/")).count('class="question"') == 1


# --- a row of scores for e-mails ---

THEME = Theme(brand_name="N", accent="#0f766e")
LINKS = Links("https://nordwind.example.com/s/order-received", {"touchpoint": "order_received"})


@pytest.mark.parametrize(
    ("entry", "numbers"),
    [("order-received", range(11)), ("newsletter", range(1, 6)), ("support-contact", range(1, 8))],
)
@pytest.mark.parametrize("language", ["en", "de"])
def test_a_row_has_a_link_for_each_answer_and_is_short(entry: str, numbers: range, language: str) -> None:
    question = lead(entry)
    source = html_row(question, LINKS, THEME, language)
    shape = Shape(source)
    assert shape.open == []
    assert shape.links == [LINKS.score(number) for number in numbers]
    assert shape.links[-1].endswith(f"?score={numbers[-1]}&touchpoint=order_received")
    assert len(source.encode()) <= 4096
    assert question.text[language] in unescape(source)
    assert question.high_label[language] in source
    assert "<style" not in source
    assert "class=" not in source
    plain = plain_row(question, LINKS, language)
    assert [line for line in plain.splitlines() if "https://" in line][-1].endswith(LINKS.score(numbers[-1]))
    assert plain.count("https://") == len(numbers)
    assert "&amp;" not in plain


def test_a_row_does_not_let_a_question_break_out(survey: Survey) -> None:
    evil = Question(key="x", kind="nps", text={"en": '<b>"&'})
    source = html_row(evil, Links("https://x.example/s/a", {"store": '"><i>'}), THEME, "en")
    assert Shape(source).open == []
    assert "&lt;b&gt;" in source
    assert "<i>" not in source
    assert "0 – not at all likely" in source


def test_the_row_on_the_page_is_in_the_language_of_the_link(survey: Survey, client: Client) -> None:
    answer = page(survey, client, lang="de")
    assert lead().text["de"] in answer.context["snippet"]
    assert lead().text["de"] in answer.context["plain"]
    Theme.objects.create(pk=1, brand_name="N", accent="#ffcc00", on_accent="#000000")
    assert "color:#000000" in page(survey, client).context["snippet"]
