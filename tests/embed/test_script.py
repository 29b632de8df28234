"""The script: small, cached, and with nothing in it but what the page needs."""

import gzip
from typing import Any

import brotli
import pytest
from django.test import Client

from apps.embed.models import Placement
from apps.embed.script import shrink
from tests import factories
from tests.embed.conftest import HOST, place
from tests.responses.asking import browser, invited

LIMIT_WITH_PLACEMENTS = 2048
LIMIT_OF_THE_LOADER = 1640
LIMIT_OF_THE_WIDGET = 5 * 1024


def get(**headers: str) -> Any:
    return Client().get("/embed.js", headers={"host": HOST, **headers})


@pytest.fixture
def shop(placement: Placement) -> None:
    """A normal tenant: three placements of different kinds."""
    placement.url_patterns, placement.delay, placement.scroll = ["/products/*"], 10, 50
    placement.save()
    place(
        factories.TouchpointFactory(key="checkout"), kind="slide_in", side="left", on_exit=True, percent=50,
        languages=["de"],
    )  # fmt: skip
    place(factories.TouchpointFactory(key="help"), kind="inline", selector="#feedback", delay=5, device="desktop")


def test_the_script_is_small(shop: None) -> None:
    sent = get(**{"accept-encoding": "gzip, br"})
    assert sent["Content-Encoding"] == "br"
    assert len(sent.content) <= LIMIT_WITH_PLACEMENTS
    from apps.embed.script import _loader

    code = _loader()
    assert len(brotli.compress(code.encode(), quality=11)) <= LIMIT_OF_THE_LOADER


@pytest.mark.parametrize("lead", ["nps", "csat", "ces"])
def test_script_and_frame_together_are_the_whole_widget(shop: None, lead: str) -> None:
    survey = factories.SurveyFactory()
    if lead != "nps":
        survey.questions.filter(kind="nps").delete()
        text = {"en": "How satisfied are you with your last order?", "de": "Wie zufrieden sind Sie?"}
        survey.questions.create(key="lead", kind=lead, style="stars" if lead == "csat" else "numbers", text=text)
    sent = get(**{"accept-encoding": "gzip, br"})
    frame = browser().get(f"{invited(survey=survey)}?embed=1&lang=en", headers={"accept-encoding": "gzip, br"})
    print(f"{lead}: script {len(sent.content)}, frame {len(frame.content)}")
    assert frame["Content-Encoding"] == "br"
    assert len(sent.content) + len(frame.content) <= LIMIT_OF_THE_WIDGET


def test_it_is_sent_as_accepted(shop: None) -> None:
    plain = get()
    assert "Content-Encoding" not in plain.headers
    assert plain["Content-Type"] == "text/javascript; charset=utf-8"
    assert brotli.decompress(get(**{"accept-encoding": "br"}).content) == plain.content
    assert gzip.decompress(get(**{"accept-encoding": "gzip"}).content) == plain.content
    assert plain["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert plain["Cache-Control"] == "public, max-age=300"
    assert "Accept-Encoding" in plain["Vary"]
    assert "Cookie" not in plain["Vary"]
    assert not plain.cookies


def test_an_unchanged_script_is_not_sent_again(shop: None) -> None:
    etag = get()["ETag"]
    again = get(**{"if-none-match": f"W/{etag}", "accept-encoding": "br"})
    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == etag
    Placement.objects.filter(kind="inline").update(delay=6)
    assert get(**{"if-none-match": etag}).status_code == 200


def test_only_placements_that_are_switched_on_are_in_it(placement: Placement) -> None:
    off = place(factories.TouchpointFactory(key="off"), is_active=False)
    gone = place(factories.TouchpointFactory(key="gone", is_active=False))
    text = get().content.decode()
    assert f'"i":{placement.pk},"t":"product_page"' in text
    assert off.touchpoint.key not in text.split("[[", 1)[-1].split('"t":')[1]
    assert f'"t":"{gone.touchpoint.key}"' not in text
    assert f'"t":"{off.touchpoint.key}"' not in text


def test_it_costs_one_query(shop: None, django_assert_num_queries: Any) -> None:
    get()
    with django_assert_num_queries(1):
        get()


def test_its_words_are_translated(placement: Placement) -> None:
    assert '"de":["' in get().content.decode()


def test_names_become_letters_and_comments_go() -> None:
    assert shrink("// a comment\nconst $long = 1,\n  $other = $long + d;\n") == "const b=1,c=b+d;"


def test_another_host_has_other_placements(shop: None, other_tenant: Any) -> None:
    text = Client().get("/embed.js", headers={"host": "klarwerk.resonanz.test"}).content.decode()
    assert "product_page" not in text
    assert text.rstrip().endswith(",[]]);")


def test_only_reading_is_allowed(db: None) -> None:
    assert Client().post("/embed.js", headers={"host": HOST}).status_code == 405
