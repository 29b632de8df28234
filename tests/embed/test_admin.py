"""What a tenant's staff sets up, tries out, and copies."""

from typing import Any

import pytest
from django.test import Client

from apps.contacts.models import Contact, Outreach
from apps.embed.models import EmbedSecret, Placement
from apps.embed.rules import is_signed, signature
from apps.surveys.models import Invitation, Website
from apps.triggers.models import TriggerRule
from tests.admin.conftest import admin_user, client  # noqa: F401 - fixtures
from tests.embed.conftest import PAGE

LIST = "/admin/embed/placement/"
SECRETS = "/admin/embed/embedsecret/"


def data(placement: Placement, **changes: Any) -> dict[str, Any]:
    values = {"name": "New", "touchpoint": placement.touchpoint_id, "is_active": "on", "kind": "popover",
              "side": "right", "place": "beforeend", "device": "any", "delay": 5, "scroll": 0, "percent": 100,
              "rest_days": 30, "url_patterns": "/products/*\n\n /help/* ", "languages": ["de"]}  # fmt: skip
    return {**values, **changes}


def test_a_placement_is_made_with_pages_one_per_line(client: Client, placement: Placement) -> None:  # noqa: F811
    assert client.post(f"{LIST}add/", data(placement)).status_code == 302
    row = Placement.objects.get(name="New")
    assert (row.url_patterns, row.languages) == (["/products/*", "/help/*"], ["de"])
    page = client.get(f"{LIST}{row.pk}/change/").content.decode()
    assert "/products/*\n/help/*</textarea>" in page


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"url_patterns": "products"}, "write /path/*"),
        ({"kind": "inline"}, "needs an element"),
        ({"selector": "a { color: red }"}, "CSS selector"),
        ({"percent": 0}, "greater than or equal to 1"),
        ({"scroll": 101}, "less than or equal to 100"),
        ({"languages": ["xx"]}, "xx is not one of"),
    ],
)
def test_what_cannot_work_is_refused_at_its_field(
    client: Client, placement: Placement, changes: dict[str, Any], complaint: str  # noqa: F811
) -> None:  # fmt: skip
    answer = client.post(f"{LIST}add/", data(placement, **changes))
    assert answer.status_code == 200
    assert complaint in str(answer.context["adminform"].form.errors)
    assert not Placement.objects.filter(name="New").exists()


def test_the_script_tag_stands_beside_the_websites(client: Client, placement: Placement) -> None:  # noqa: F811
    assert f'href="{LIST}website/"' in client.get(LIST).content.decode()
    page = client.get(f"{LIST}website/").content.decode()
    assert "&lt;script async src=" in page or '<script async src="http://nordwind.resonanz.test/embed.js">' in page
    assert "https://shop.example" in page
    assert "frame-src http://nordwind.resonanz.test" in page
    Website.objects.all().delete()
    Placement.objects.all().delete()
    page = client.get(f"{LIST}website/").content.decode()
    assert "nothing is shown anywhere" in page
    assert "There is no placement yet" in page


def test_an_address_from_the_address_bar_is_taken(client: Client) -> None:  # noqa: F811
    client.post("/admin/surveys/website/add/", {"origin": "https://WWW.Example.com/"})
    assert Website.objects.get().origin == "https://www.example.com"
    answer = client.post("/admin/surveys/website/add/", {"origin": "https://www.example.com/a"})
    assert "scheme and host only" in str(answer.context["adminform"].form.errors)


def told(client: Client, placement: Placement, **values: Any) -> str:  # noqa: F811
    answer = client.post(f"{LIST}website/", {"placement": placement.pk, "url": PAGE, **values})
    assert answer.status_code == 200
    return str(answer.context["result"].sentence)


def test_why_it_does_not_show_is_told_and_nothing_stays(client: Client, placement: Placement) -> None:  # noqa: F811
    assert told(client, placement) == "It would show."
    for _again in range(2):
        assert told(client, placement, external_id="ada") == "It would show."
    assert [model.objects.count() for model in (Contact, Outreach, Invitation)] == [0, 0, 0]
    assert "website is not among" in told(client, placement, url="https://other.example/")
    Placement.objects.update(url_patterns=["/help/*"])
    assert "does not belong to this page" in told(client, placement)
    Placement.objects.update(url_patterns=[], is_active=False)
    assert "switched off" in told(client, placement)
    Placement.objects.update(is_active=True)
    TriggerRule.objects.all().delete()
    assert "No trigger rule" in told(client, placement)


def test_a_secret_is_shown_once_with_snippets_that_work(client: Client) -> None:  # noqa: F811
    answer = client.post(f"{SECRETS}add/", {"note": "Shop"})
    row = EmbedSecret.objects.get()
    page = answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    for part in ("hmac.new(", "hash_hmac(", "createHmac(", row.secret):
        assert part in page
    made: dict[str, Any] = {"external_id": "customer-42"}
    exec(answer.context["snippets"]["python"], made)
    assert is_signed(made["signature"], [row.secret], "customer-42")
    for path in ("", f"{row.pk}/change/", f"{row.pk}/history/"):
        assert row.secret not in client.get(SECRETS + path).content.decode()


def test_two_secrets_at_most_are_valid(client: Client) -> None:  # noqa: F811
    for note in ("a", "b"):
        assert client.post(f"{SECRETS}add/", {"note": note}).status_code == 200
    answer = client.post(f"{SECRETS}add/", {"note": "c"})
    assert "Two are valid already" in str(answer.context["adminform"].form.errors)
    assert EmbedSecret.objects.count() == 2
    client.post(f"{SECRETS}{EmbedSecret.objects.first().pk}/delete/", {"post": "yes"})  # type: ignore[union-attr]
    client.post(f"{SECRETS}add/", {"note": "c"})
    assert EmbedSecret.objects.count() == 2


def test_the_sample_shop_signs_with_the_demos_secret(db: None, settings: Any) -> None:
    from apps.embed import shop_views

    settings.PUBLIC_SCHEMA_URLCONF = "tests.embed.urls_with_shop"
    answer = Client().get("/shop/?lang=de", headers={"host": "resonanz.test"})
    page = answer.content.decode()
    assert 'src="http://nordwind.resonanz.test/embed.js"' in page
    assert signature(shop_views.demo_secret(), shop_views.CUSTOMER) in page
    assert shop_views.demo_secret() not in page
    assert '<html lang="de">' in page
    assert not answer.cookies
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
