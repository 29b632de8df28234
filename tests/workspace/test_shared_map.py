"""The journey map for whoever has a link to it, and names that two people take at once."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.contacts.models import Contact
from apps.insights.models import Action, SavedView
from apps.responses.models import Response, ScoreChange
from apps.touchpoints.models import Stage, Touchpoint
from apps.triggers.models import Segment
from apps.workspace import saved
from tests.workspace.test_saved_views import allow, answers, link_to, words

__all__ = ["answers"]


@pytest.fixture
def shared(client: Client, user: User, answers: None) -> Any:
    """A link to the map with a query, as anybody sees it."""
    allow(user, "add_sharelink")

    def look(query: str) -> str:
        name = f"Map {SavedView.objects.count()}"
        answer = client.post(f"/views/new/?page=journey&{query}", {"name": name})
        view = SavedView.objects.get(name=name)
        assert answer.headers["Location"] == reverse("workspace:view_edit", args=[view.pk])
        return link_to(client, view)

    return look


def anybody(address: str) -> str:
    answer = Client(headers={"host": "nordwind.resonanz.test"}).get(address)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "private, no-store")
    return answer.content.decode()


def test_a_link_shows_the_map_without_a_sign_in_without_names_and_without_what_is_done(shared: Any, now: Any) -> None:
    Action.objects.create(
        touchpoint=Touchpoint.objects.get(key="shop"), title="Replace Ms Miller", status="running",
        starts_on=now.date(), created_at=now, updated_at=now,
    )  # fmt: skip
    html = anybody(shared("days=365"))
    shown = words(html)
    assert "shop" in shown
    assert "n = 12" in shown
    assert "too few answers" in shown, "the two answers at the other touchpoint have no score"
    for name in ("Kim", "Whispered", "Acme Secret", "Ms Miller", "What we do about it", "Open cases", "in progress"):
        assert name not in html
    links = re.findall(r'(?:href|action)="([^"]*)"', html)
    assert {link for link in links if not link.startswith("/static/")} <= {"#main", "/theme.css", "/i18n/setlang/"}
    assert not re.search(r"\sstyle=|<style|<script(?![^>]*\ssrc=)", html)


def test_the_map_of_a_segment_that_is_gone_or_broken_is_not_that_of_everybody(shared: Any) -> None:
    Contact.objects.update(properties={"plan": "pro"})
    Segment.objects.create(key="pro", name="Pro", condition={"field": "contact.plan", "op": "eq", "value": "pro"})
    address = shared("segment=pro")
    assert "n = 12" in words(anybody(address))
    Segment.objects.update(condition={"field": "contact.plan", "op": "nonsense", "value": 1})
    assert "cannot be shown at the moment" in words(anybody(address))
    Segment.objects.all().delete()
    shown = words(anybody(address))
    assert "cannot be shown at the moment" in shown
    assert "n = 12" not in shown


def test_before_there_is_a_stage_the_map_says_so(shared: Any) -> None:
    address = shared("days=30")
    Response.objects.update(touchpoint=None)
    ScoreChange.objects.all().delete()
    Touchpoint.objects.all().delete()
    Stage.objects.all().delete()
    assert "There is no stage yet." in words(anybody(address))


@pytest.mark.usefixtures("answers")
def test_a_name_that_somebody_else_takes_in_this_moment_is_told_and_kept(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("Taken", "Mine"):
        SavedView.objects.create(name=name, created_at=timezone.now(), updated_at=timezone.now(), created_by_id=None)
    client.post("/views/new/?days=30", {"name": "Own"})
    own = SavedView.objects.get(name="Own")
    # As if the other's view came between looking whether the name is free and saving.
    monkeypatch.setattr(saved.NameForm, "clean_name", lambda form: form.cleaned_data["name"])
    monkeypatch.setattr(saved.NameForm, "validate_constraints", lambda form: None, raising=False)
    monkeypatch.setattr(saved.NameForm, "_get_validation_exclusions", lambda form: {"name", "page"})
    for address in ("/views/new/?days=30", reverse("workspace:view_edit", args=[own.pk])):
        answer = client.post(address, {"name": "Taken"})
        assert answer.status_code == 422
        assert "Take another name." in words(answer.content.decode())
    own.refresh_from_db()
    assert own.name == "Own"
    assert SavedView.objects.filter(name="Taken").count() == 1


def test_of_few_people_nothing_is_shown_however_often_they_answered(shared: Any, now: Any) -> None:
    contact = Contact.objects.earliest("pk")
    contact.properties = {"plan": "pro"}
    contact.save()
    Segment.objects.create(key="pro", name="Pro", condition={"field": "contact.plan", "op": "eq", "value": "pro"})
    first = Response.objects.filter(contact=contact).get()
    for _number in range(6):
        values = {"survey_id": first.survey_id, "touchpoint_id": first.touchpoint_id, "score": 2}
        Response.objects.create(contact=contact, answered_at=now, updated_at=now, **values)
    for address in (shared("segment=pro"), shared_board("segment=pro"), shared_board("by=touchpoint&segment=pro"),
                    shared_board("compare=segment:pro")):  # fmt: skip
        shown = words(anybody(address))
        assert "Fewer than five people are behind these figures" in shown
        assert "n = " not in shown


def shared_board(query: str) -> str:
    now = timezone.now()
    asked = dict(pair.split("=") for pair in query.split("&"))
    view = SavedView.objects.create(name=query, query=asked, created_at=now, updated_at=now)
    link = saved.share(view=view, expires_at=None, by=User.objects.earliest("pk"), now=now)
    return f"/shared/{saved.token_of(link)}/"


@pytest.mark.usefixtures("answers", "user")
def test_a_part_that_follows_from_the_others_is_left_out_and_properties_name_nobody() -> None:
    third = Touchpoint.objects.create(key="hotline", name={"en": "hotline"}, stage=Stage.objects.get())
    shop = Touchpoint.objects.get(key="shop")
    rows = Response.objects.filter(touchpoint=shop)
    # 4, 6 and 2 answers: those with 6 would leave 6 together, of which no single one follows.
    moved = list(rows.values_list("pk", flat=True)[:6])
    Response.objects.filter(pk__in=moved).update(touchpoint=third)
    ScoreChange.objects.filter(pk__in=ScoreChange.objects.filter(touchpoint=shop)[:6].values("pk")).update(
        touchpoint=third
    )
    shown = words(anybody(shared_board("by=touchpoint")))
    assert ("hotline" in shown, "shop" in shown, "backdoor" in shown) == (True, False, False)
    shown = words(anybody(shared_board("by=property:seat")))
    assert "seat-" not in shown
    assert "By touchpoint" in shown
    # Windows that roll differ by a day's answers.
    assert "Rolling" not in words(anybody(shared_board("days=30&grain=day&rolling=30")))


def test_the_shared_map_tells_no_numbers_of_a_touchpoint_with_few_answers(shared: Any) -> None:
    html = anybody(shared("days=30"))
    card = html.partition("backdoor")[2].partition("</article>")[0]
    assert "too few answers" in card
    assert "2 answers" not in card
    assert "<dl" not in card
