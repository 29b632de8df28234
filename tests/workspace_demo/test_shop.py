"""Nordwind's sample shop may ask as soon as the demo is there."""

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
from django.test import Client
from django_tenants.utils import schema_context

from apps.embed.models import EmbedSecret, Placement
from apps.embed.rules import signature
from apps.embed.shop_views import CUSTOMER, demo_secret
from apps.surveys.models import Invitation, Website


def test_the_shop_asks_and_a_second_start_adds_nothing(load_demo: Callable[..., Path]) -> None:
    for _start in range(2):
        assert json.loads(load_demo().read_text())["shop_url"] == "http://resonanz.test/shop/"
    with schema_context("nordwind"):
        placement = Placement.objects.get()
        assert (Website.objects.get().origin, EmbedSecret.objects.count()) == ("http://resonanz.test", 1)
    body = {"placement": placement.pk, "url": "http://resonanz.test/shop/?lang=de", "language": "de"}
    body["contact"] = {"external_id": CUSTOMER, "signature": signature(demo_secret(), CUSTOMER)}
    headers = {"host": "nordwind.resonanz.test", "origin": "http://resonanz.test"}
    answer = Client().post("/embed/ask", msgspec.json.encode(body), content_type="text/plain", headers=headers)
    assert answer.json()["show"] is True
    with schema_context("nordwind"):
        asked = Invitation.objects.get(status=Invitation.Status.SHOWN)
        assert asked.survey.key == "product-page"
        assert asked.contact is not None
        assert asked.contact.external_id == CUSTOMER
    with schema_context("klarwerk"):
        assert not Website.objects.exists()
