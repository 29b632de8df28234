import re
from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.urls import URLPattern, reverse
from django_tenants.utils import tenant_context

from apps.accounts.models import User
from apps.alerts.models import Channel, Notice, Subscription
from apps.campaigns.models import CampaignTrial, Launch
from apps.incentives.models import Voucher, VoucherPool
from apps.insights.models import Action, Annotation, JourneyReview, SavedView, Target
from apps.integrations import webhooks
from apps.integrations.models import Delivery, Endpoint, Replay
from apps.responses.models import Response
from apps.surveys import versions
from apps.surveys.models import Survey, Theme
from apps.touchpoints import hooks
from apps.touchpoints.hook_presets import new_hook
from apps.touchpoints.models import HookPayload, TrackedName
from apps.transfers import services as imports
from apps.triggers.models import DryRun
from apps.workspace import urls
from apps.workspace.saved import share, token_of
from tests.workspace.conftest import make_setup, story

OPEN_TO_ALL = {"login", "logout", "theme", "shared"}
SCRIPT = "<script>alert('x')</script>"
LISTS = ["dashboard", "responses", "decisions", "cases", "emails"]


def address(pattern: URLPattern, pk: object) -> str:
    samples = {"IntConverter": 1, "StringConverter": "csv"}
    args = [samples.get(type(converter).__name__, pk) for converter in pattern.pattern.converters.values()]
    return reverse(f"workspace:{pattern.name}", args=args)


def test_every_page_asks_for_a_sign_in_whatever_the_method(visitor: Client) -> None:
    for pattern in urls.urlpatterns:
        if pattern.name in OPEN_TO_ALL:
            continue
        url = address(pattern, uuid4())
        answers = [visitor.generic(method, url) for method in ("GET", "POST", "HEAD", "PUT", "DELETE")]
        asking = [answer for answer in answers if answer.status_code != 405]
        assert asking, url
        for answer in asking:
            assert answer.status_code == 302, url
            assert answer.headers["Location"].startswith("/login/?next="), url


@pytest.mark.parametrize("name", LISTS)
def test_every_list_opens_empty_and_filled(client: Client, setup: SimpleNamespace, now: datetime, name: str) -> None:
    assert client.get(reverse(f"workspace:{name}")).status_code == 200
    story(setup, 1, now)
    answer = client.get(reverse(f"workspace:{name}"))
    assert answer.status_code == 200
    assert "Kim 1" in answer.content.decode() or name == "dashboard"


def test_every_detail_page_opens(client: Client, setup: SimpleNamespace, now: datetime) -> None:
    response = story(setup, 1, now, comment="Too slow.")
    invitation = response.invitation
    assert invitation is not None
    pages = {
        "response": response.pk, "contact": response.contact_id, "case": response.case.pk, "email": invitation.email_id,
    }  # fmt: skip
    for name, pk in pages.items():
        answer = client.get(reverse(f"workspace:{name}", args=[pk]))
        assert answer.status_code == 200, name
        assert "Kim 1" in answer.content.decode(), name


def test_a_response_shows_all_that_belongs_to_it(client: Client, setup: SimpleNamespace, now: datetime) -> None:
    response = story(setup, 1, now, comment="Too slow.")
    page = client.get(reverse("workspace:response", args=[response.pk])).content.decode()
    for part in ("Too slow.", "How fast were we?", "Order received", "After the order", "How was it?", "We are sorry",
                 "Before", "Sorry", "Go to the case"):  # fmt: skip
        assert part in page, part


@pytest.mark.parametrize("name", ["response", "contact", "case", "email", "email_html"])
def test_an_unknown_id_is_not_found(client: Client, name: str) -> None:
    assert client.get(reverse(f"workspace:{name}", args=[uuid4()])).status_code == 404


def test_another_tenants_response_is_not_found(client: Client, tenant: Any, other_tenant: Any, now: datetime) -> None:
    with tenant_context(other_tenant):
        survey = Survey.objects.create(key="other", name={"en": "Other"})
        foreign = Response.objects.create(survey=survey, score=1, comment="Secret", answered_at=now, updated_at=now)
    assert client.get(reverse("workspace:response", args=[foreign.pk])).status_code == 404
    assert client.post(reverse("workspace:open_case", args=[foreign.pk])).status_code == 404
    assert "Secret" not in client.get(reverse("workspace:responses")).content.decode()


def theirs(setup: SimpleNamespace, now: datetime) -> dict[str, list[Any]]:
    """Something of everything that has a page, by how the page's name begins: the ids in its address."""
    response = story(setup, 1, now)
    assert response.invitation is not None
    event = response.invitation.event
    assert event is not None
    found = hooks.create_hook(hook=new_hook(tool="plain", name="Theirs"), now=now)
    payload = HookPayload.objects.create(hook=found, received_at=now, body="{}", outcome="wrong")
    name = TrackedName.objects.create(name="Theirs", first_seen_at=now, last_seen_at=now)
    endpoint = Endpoint.objects.create(url="https://theirs.example/")
    webhooks.publish(event_type="response.created", reason="theirs", payload={}, now=now)
    delivery = Delivery.objects.get()
    replay = Replay.objects.create(endpoint=endpoint, since=now, until=now, total=0, created_at=now)
    source = imports.upload(kind="contacts", file_name="x.csv", parts=[b"email\na@x.example\n"], now=now)
    pool = VoucherPool.objects.create(name="Theirs", value={"en": "5 €"})
    voucher = Voucher.objects.create(pool=pool, code="THEIRS-1")
    run = DryRun.objects.create(title="Theirs", rule_id_replaced=setup.rule.pk, created_at=now)
    trial = CampaignTrial.objects.create(campaign=setup.campaign, document=setup.campaign.draft, created_at=now)
    launch = Launch.objects.create(
        campaign=setup.campaign, version=setup.campaign.current_version, until=now, created_at=now
    )
    view = SavedView.objects.create(name="Theirs", created_at=now, updated_at=now)
    link = share(view=view, expires_at=None, by=User.objects.create(username="sharing"), now=now)
    action = Action.objects.create(touchpoint=setup.touchpoint, title="Theirs", created_at=now, updated_at=now)
    annotation = Annotation.objects.create(day=now.date(), text="Theirs", created_at=now)
    target = Target.objects.create(goal=40, created_at=now)
    told = User.objects.create(username="told")
    subscription = Subscription.objects.create(user=told, name="Theirs")
    channel = Channel.objects.create(name="Theirs", url="https://theirs.example/")
    notice = Notice.objects.create(user=told, kind="response", reason="theirs", path="/", due_at=now, created_at=now)
    return {
        "action": [action.pk], "annotation": [annotation.pk], "target": [target.pk],
        "journey_stage": [setup.touchpoint.stage.key], "journey_touchpoint": [setup.touchpoint.key],
        "journey_arrange_stage": [setup.touchpoint.stage_id], "journey_arrange_touchpoint": [setup.touchpoint.pk],
        "journey_review": [JourneyReview.objects.create(due_on=now.date(), created_at=now).pk],
        "alert_edit": [subscription.pk], "alert_switch": [subscription.pk], "alert_delete": [subscription.pk],
        "alert_channel": [channel.pk], "alert_again": [notice.pk],
        "view": [view.pk], "view_revoke": [view.pk, link.pk], "shared": [token_of(link)],
        "response": [response.pk], "judge": [response.pk], "open_case": [response.pk], "case": [response.case.pk],
        "contact": [response.contact_id], "email": [response.invitation.email_id], "why_event": [event.pk],
        "why_contact": [response.contact_id], "dry_run": [run.pk], "import": [source.pk], "hook": [found.pk],
        "hook_again": [found.pk, payload.pk], "tracking_change": [name.pk], "webhook": [endpoint.pk],
        "webhook_progress": [endpoint.pk, replay.pk], "webhook_delivery": [endpoint.pk, delivery.pk],
        "webhook_again": [endpoint.pk, delivery.pk],
        "campaign": [setup.campaign.pk], "campaign_trials": [setup.campaign.pk], "campaign_trial": [trial.pk],
        "enrolments": [setup.campaign.pk], "enrolment": [response.enrolments.get().pk], "launch": [launch.pk],
        "launch_new": [setup.campaign.pk],
        "voucher_pool": [pool.pk], "voucher_upload": [pool.pk], "voucher_withdraw": [pool.pk, voucher.pk],
    }  # fmt: skip


def everything() -> dict[str, list[Any]]:
    """All rows of the tenant that one is in."""
    models = [model for model in apps.get_models() if model.__module__.startswith("apps.")]
    models = [model for model in models if model._meta.app_label not in ("tenants", "common", "relays")]
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in models}


def test_no_page_leads_to_anything_of_another_tenant(
    visitor: Client, tenant: Any, other_tenant: Any, now: datetime
) -> None:
    visitor.force_login(User.objects.create_superuser("chief"))
    with tenant_context(other_tenant):
        ids = theirs(make_setup(), now)
        before = everything()
    asked = 0
    for pattern in urls.urlpatterns:
        if not pattern.pattern.converters or "kind" in pattern.pattern.converters:
            continue
        name = str(pattern.name)
        args = ids[max((known for known in ids if name.startswith(known)), key=len)]
        url = reverse(f"workspace:{name}", args=args)
        posted = {"by": "human", "meaning": "-", "name": "x", "url": "https://x.example/", "on": "1"}
        answers = [visitor.get(url), visitor.post(url, posted)]
        assert {answer.status_code for answer in answers} <= {404, 405}, url
        assert 404 in {answer.status_code for answer in answers}, url
        asked += 1
    assert asked >= 30
    with tenant_context(other_tenant):
        assert everything() == before


def test_a_session_of_one_tenant_is_nothing_on_anothers_host(client: Client) -> None:
    answer = client.get("/responses/", headers={"host": "klarwerk.resonanz.test"})
    assert answer.status_code == 302
    assert connection.schema_name == "klarwerk"


def test_script_in_comments_and_names_is_shown_as_text(client: Client, setup: SimpleNamespace, now: datetime) -> None:
    response = story(setup, 1, now, comment=SCRIPT)
    contact = response.contact
    assert contact is not None
    contact.name = SCRIPT
    contact.save()
    pages = [reverse(f"workspace:{name}") for name in LISTS if name != "emails"]
    pages += [reverse("workspace:response", args=[response.pk]), reverse("workspace:contact", args=[contact.pk]),
              reverse("workspace:case", args=[response.case.pk])]  # fmt: skip
    for url in pages:
        page = client.get(url).content.decode()
        assert SCRIPT not in page, url
        assert "&lt;script&gt;" in page, url


def test_no_page_needs_inline_style_or_script(client: Client, setup: SimpleNamespace, now: datetime) -> None:
    response = story(setup, 1, now)
    urls_ = [reverse(f"workspace:{name}") for name in LISTS] + [reverse("workspace:response", args=[response.pk])]
    for url in urls_:
        page = client.get(url).content.decode()
        assert not re.search(r"\sstyle=|<style|<script(?![^>]*\ssrc=)|\son[a-z]+=|javascript:", page), url


@pytest.mark.parametrize("name", LISTS)
def test_a_list_costs_the_same_for_one_row_and_for_twenty(
    queries_of: Callable[[str], int], setup: SimpleNamespace, now: datetime, name: str
) -> None:
    # Session and user; then touchpoints, surveys, segments, figures, parts with their names, what stays hidden (for
    # each of these and the comments), comments, annotations, target, suspected; or: (touchpoints, segments,
    # what stays hidden; or touchpoints, rules, cadences; or people, outcomes, causes, touchpoints, saved lists, their
    # numbers; or surveys, campaigns), count, rows (, suspected; undecided).
    expected = {"dashboard": 15, "responses": 8, "decisions": 8, "cases": 10, "emails": 6}[name]
    story(setup, 0, now, comment="Hm.")
    assert queries_of(reverse(f"workspace:{name}")) == expected
    for number in range(1, 20):
        story(setup, number, now - timedelta(days=number), comment="Hm.")
    assert queries_of(reverse(f"workspace:{name}")) == expected


def test_details_cost_a_fixed_number_of_queries(
    queries_of: Callable[[str], int], setup: SimpleNamespace, now: datetime
) -> None:
    response = story(setup, 1, now)
    # Session, user, what stays hidden, response, answers, (questions and thanks of today,) revisions, follow-ups.
    assert queries_of(reverse("workspace:response", args=[response.pk])) == 9
    Response.objects.update(version=versions.publish(survey_id=response.survey_id, now=now))
    assert queries_of(reverse("workspace:response", args=[response.pk])) == 7
    # Session, user, contact, responses, decisions, mails, what was reported of them, legal bases, surveys, campaigns,
    # cases.
    assert queries_of(reverse("workspace:contact", args=[response.contact_id])) == 11


def test_a_new_tenant_is_told_the_first_steps(client: Client, user: User) -> None:
    page = client.get("/").content.decode()
    assert "First steps" in page
    assert "/api/v1/events" in page
    assert "/admin/" not in page
    user.is_staff = True
    user.save()
    assert "/admin/" in client.get("/").content.decode()


@pytest.mark.parametrize("days", ["30", "90", "365", "7", "abc", "-1", ""])
def test_the_dashboard_takes_any_period_asked_for(
    client: Client, setup: SimpleNamespace, now: datetime, days: str
) -> None:
    story(setup, 1, now)
    assert client.get("/", {"days": days}).status_code == 200


def test_the_dashboard_shows_score_number_and_margin(client: Client, setup: SimpleNamespace, now: datetime) -> None:
    for number in range(10):
        story(setup, number, now - timedelta(days=1), score=10 if number else 0)
    page = client.get("/", {"days": 30}).content.decode()
    assert "+80" in page
    assert "± 57" in page
    assert "from 10 answers" in page


def test_the_accent_is_served_as_a_stylesheet(visitor: Client) -> None:
    Theme.objects.create(pk=1, brand_name="Nordwind", accent="#123456")
    answer = visitor.get("/theme.css")
    assert answer.headers["Content-Type"] == "text/css"
    assert "--accent: #123456" in answer.content.decode()


def test_the_language_is_the_readers(client: Client, setup: SimpleNamespace) -> None:
    answer = client.post("/i18n/setlang/", {"language": "de", "next": "/responses/"})
    assert answer.headers["Location"] == "/responses/"
    assert '<html lang="de">' in client.get("/responses/").content.decode()
