"""The command that makes the demo tenants."""

import hashlib
import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth import authenticate, get_user_model
from django.core.management import CommandError
from django.db import connection
from django.db.models import Count
from django.db.models.functions import TruncDate
from django.test import RequestFactory
from django.utils import timezone
from django_tenants.utils import schema_context

from apps.common.models import AgendaItem
from apps.common.queues import DRAINS
from apps.insights.models import Rollup
from apps.integrations.services import authenticate as authenticate_key
from apps.messaging.models import OutgoingEmail
from apps.responses.models import Response
from apps.surveys.models import Survey
from apps.touchpoints.models import Stage, Touchpoint
from apps.triggers.models import TriggerRule

SLUGS = ("nordwind", "klarwerk")
Load = Callable[..., Path]


def fingerprint() -> str:
    """A hash over the responses of both tenants."""
    digest = hashlib.sha256()
    for slug in SLUGS:
        with schema_context(slug):
            rows = Response.objects.order_by("id")
            for row in rows.values_list("id", "score", "comment", "locale", "answered_at", "contact__email"):
                digest.update(repr(row).encode())
    return digest.hexdigest()


def counts() -> dict[str, int]:
    """Rows of every model in both tenants."""
    found = {}
    for slug in SLUGS:
        with schema_context(slug):
            found |= {f"{slug}.{m._meta.label}": m._default_manager.count() for m in apps.get_models()}
    return found


def test_a_second_run_changes_nothing(load_demo: Load) -> None:
    path = load_demo()
    before = fingerprint(), counts(), path.read_bytes(), path.stat().st_mtime_ns
    load_demo()
    assert (fingerprint(), counts(), path.read_bytes(), path.stat().st_mtime_ns) == before


def test_a_reset_tells_the_same_year_again(load_demo: Load) -> None:
    content = json.loads(load_demo().read_text())
    before = fingerprint()
    with schema_context("nordwind"):
        Response.objects.update(comment="changed")
        Survey.objects.create(key="mine", name={"en": "Mine"})
    assert fingerprint() != before
    connection.check_constraints()  # A schema with unchecked rows cannot be dropped.
    again = json.loads(load_demo(reset=True).read_text())
    assert fingerprint() == before
    with schema_context("nordwind"):
        assert not Survey.objects.filter(key="mine").exists()
    assert again["operator"] == content["operator"]
    assert again["tenants"][0]["api_key"] != content["tenants"][0]["api_key"]


def test_a_reset_leaves_a_tenant_alone_that_is_not_the_demos(load_demo: Load) -> None:
    with schema_context("nordwind"):
        stage = Stage.objects.create(key="real", name={"en": "Real"})
        Touchpoint.objects.create(key="real", name={"en": "Real"}, stage=stage)
    with pytest.raises(CommandError, match="nordwind"):
        load_demo(reset=True)
    with schema_context("nordwind"):
        assert Touchpoint.objects.filter(key="real").exists()


def test_the_figures_equal_a_recount(load_demo: Load) -> None:
    load_demo()
    for slug in SLUGS:
        with schema_context(slug):
            cut = ("day", "survey_id", "touchpoint_id", "is_incentivised", "score")
            cells = [
                (row.day, row.survey_id, row.touchpoint_id, row.is_incentivised, score, number)
                for row in Rollup.objects.all()
                for score, number in row.scores.items()
            ]
            recount = Response.objects.annotate(day=TruncDate("answered_at")).values_list(*cut).annotate(n=Count("id"))
            assert set(cells) == set(recount)
            assert len(cells) > 20
            assert set(Response.objects.values_list("locale", flat=True)) == {"de", "en"}
            promised = Response.objects.filter(is_incentivised=True).values_list("survey__key", flat=True)
            assert set(promised) == ({"return"} if slug == "nordwind" else set())


def test_no_queue_has_anything_to_do(load_demo: Load) -> None:
    for config in apps.get_app_configs():
        if config.name.startswith("apps.") and (Path(config.path) / "tasks.py").exists():
            import_module(f"{config.name}.tasks")
    assert DRAINS
    load_demo()
    for slug in SLUGS:
        with schema_context(slug):
            due = {queue: drain.next_due() for queue, drain in DRAINS.items()}
            # The words of old mails are deleted in the night, of the demo's year as of any other.
            assert due.pop("messaging.forget") is not None
            # The journey map is looked at again once the year is over.
            assert due.pop("insights.map_reviews") is not None
            # How much touchpoints weigh is learnt once a day.
            assert due.pop("insights.influence") is not None
            # Whether the open targets are met is looked at once a day.
            assert due.pop("insights.check_targets") is not None
            # The survey about the whole comes around again next year.
            assert due.pop("triggers.cadences") is not None
            assert set(due.values()) == {None}
    assert not AgendaItem.objects.filter(schema_name__in=SLUGS).exists()


def test_all_constraints_hold_and_the_configuration_is_valid(load_demo: Load) -> None:
    load_demo()
    for slug in SLUGS:
        with schema_context(slug):
            connection.check_constraints()
            assert 6 <= Stage.objects.filter(parent=None).count() <= 7
            assert 10 <= Touchpoint.objects.count() <= 12
            assert TriggerRule.objects.filter(is_active=True).count() >= 3


def test_the_json_opens_every_door(load_demo: Load, settings: Any) -> None:
    path = load_demo()
    assert path.stat().st_mode & 0o777 == 0o600
    content = json.loads(path.read_text())
    assert content["public_url"] == "http://resonanz.test"
    assert content["mailbox_url"] == "http://resonanz.test/mailbox/"
    request = RequestFactory().post("/")
    operator = content["operator"]
    user = authenticate(request, username=operator["user"], password=operator["password"])
    assert user is not None
    assert user.is_superuser
    for part, slug in zip(content["tenants"], SLUGS, strict=True):
        assert (part["slug"], part["url"]) == (slug, f"http://{slug}.resonanz.test")
        with schema_context(slug):
            assert authenticate_key(key=part["api_key"], now=timezone.now())
            for person in part["users"]:
                user = authenticate(request, username=person["user"], password=person["password"])
                assert user is not None
                assert user.is_staff == user.is_superuser == (person["role"] == "admin")


def test_without_the_file_new_keys_and_passwords_are_made_for_the_same_people(load_demo: Load) -> None:
    path = load_demo()
    before = json.loads(path.read_text())
    data = fingerprint()
    path.unlink()
    after = json.loads(load_demo().read_text())
    assert fingerprint() == data
    for old, new in zip(before["tenants"], after["tenants"], strict=True):
        assert old["api_key"] != new["api_key"]
        assert [u["user"] for u in old["users"]] == [u["user"] for u in new["users"]]
        with schema_context(new["slug"]):
            assert (
                get_user_model()
                .objects.get(username=new["users"][1]["user"])
                .check_password(new["users"][1]["password"])
            )


def test_an_unwritable_place_gets_one_sentence(load_demo: Load, tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("a file where the folder should be")
    with pytest.raises(CommandError, match=r"demo\.json"):
        load_demo()


def test_every_mail_belongs_to_its_survey_or_campaign(load_demo: Load) -> None:
    load_demo()
    for slug in SLUGS:
        with schema_context(slug):
            assert OutgoingEmail.objects.exists()
            assert not OutgoingEmail.objects.exclude(stream__regex=r"^(survey|campaign):[0-9]+$").exists()
            for mail in OutgoingEmail.objects.filter(invitation__isnull=False).select_related("invitation")[:200]:
                assert mail.stream == f"survey:{mail.invitation.survey_id}"
