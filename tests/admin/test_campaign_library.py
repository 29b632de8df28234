"""A campaign is begun with a template: its form asks for what it needs, and leads to the editor."""

from django.contrib.auth.models import Permission
from django.test import Client

from apps.accounts.models import User
from apps.campaigns import library
from apps.campaigns.models import Campaign

KEYS = [entry.key for entry in library.entries()]


def test_the_form_asks_for_what_is_missing_keeps_what_was_typed_and_leads_to_the_editor(client: Client) -> None:
    shown = client.get("/admin/campaigns/campaign/library/").content.decode()
    for key in KEYS:
        assert f"/admin/campaigns/campaign/library/{key}/" in shown
    assert "/admin/campaigns/campaign/library/" in client.get("/admin/campaigns/campaign/").content.decode()
    assert client.get("/admin/campaigns/campaign/library/unheard-of/").status_code == 404

    path = "/admin/campaigns/campaign/library/promoter-thanks/"
    for wrong in ("", "javascript:alert(1)", "https://{{ name }}.example/", "https://x.example/?{{ secret }}"):
        refused = client.post(path, {"name": "<b>Thanks</b>", "review_url": wrong})
        assert refused.status_code == 422, wrong
        assert "&lt;b&gt;Thanks" in refused.content.decode()
    assert not Campaign.objects.exists()

    done = client.post(path, {"name": "Thanks", "review_url": "https://reviews.example/us"})
    campaign = Campaign.objects.get()
    assert done["Location"] == f"/admin/campaigns/campaign/{campaign.pk}/change/"
    assert (campaign.is_active, campaign.segment) == (False, "promoter")
    assert campaign.draft["steps"][1]["button_url"] == "https://reviews.example/us"
    assert client.get(done["Location"]).status_code == 200


def test_what_was_said_and_done_may_be_told_in_one_language_but_not_by_halves(client: Client) -> None:
    path = "/admin/campaigns/campaign/library/you-said/"
    half = {"name": "x", "themes": "late, , late", "said_de": "Zu spät.", "did_de": ""}
    assert client.post(path, half).status_code == 422
    assert client.post(path, {**half, "said_de": ""}).status_code == 422
    assert client.post(path, {**half, "did_de": "Mehr Fahrer.", "themes": " , "}).status_code == 422
    assert client.post(path, {**half, "did_de": "Mehr Fahrer."}).status_code == 302
    campaign = Campaign.objects.get()
    assert set(campaign.draft["steps"][0]["body"]) == {"de"}
    assert [one["value"] for one in campaign.condition["any"]] == ["late", "late"]
    assert (campaign.entry, campaign.stop_on_response) == ("by_hand", False)


def test_who_may_only_look_at_campaigns_makes_none_of_a_template(client: Client, admin_user: User) -> None:
    admin_user.is_superuser = False
    admin_user.save()
    admin_user.user_permissions.add(Permission.objects.get(codename="view_campaign"))
    assert client.get("/admin/campaigns/campaign/").status_code == 200
    filled = {"name": "x", "review_url": "https://reviews.example/us"}
    assert client.get("/admin/campaigns/campaign/library/").status_code == 403
    assert client.post("/admin/campaigns/campaign/library/promoter-thanks/", filled).status_code == 403
    assert not Campaign.objects.exists()
