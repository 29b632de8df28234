"""Ready-made campaigns: each publishes as it is, in both languages, and reads well for somebody without a name."""

import re
from typing import Any

import pytest
from django.utils import timezone

from apps.campaigns import library, mail_previews, versions
from apps.campaigns.library import Choices, Entry
from apps.campaigns.library.blocks import with_query
from apps.campaigns.library.start import start
from apps.campaigns.models import Campaign
from apps.campaigns.sequence import SequenceError, parse, parse_entry
from apps.contacts.models import Contact
from apps.incentives.models import VoucherPool
from apps.responses.models import Response
from tests import factories

BASE = "http://nordwind.resonanz.test"
TEXTS = ("subject", "body", "subject_no_comment", "body_no_comment", "button", "title", "text")
KEYS = [entry.key for entry in library.entries()]


def filled(**values: Any) -> Choices:
    """All that any of them could need."""
    pool, _ = VoucherPool.objects.get_or_create(
        name="Sorry", kind="generated", pattern="SORRY-########", value={"en": "10 % off", "de": "10 % Rabatt"}
    )
    touchpoint = factories.TouchpointFactory()
    whole: dict[str, Any] = {
        "review_url": "https://reviews.example/nordwind",
        "referral_url": "https://nordwind.example/friends?x=1#top",
        "pool": pool.pk,
        "survey": factories.SurveyFactory().pk,
        "touchpoint": touchpoint.pk,
        "goal_touchpoint": touchpoint.pk,
        "themes": ("delivery", "late"),
        "said": {"en": "It took too long.", "de": "Es dauert zu lange."},
        "did": {"en": "We hired drivers.", "de": "Wir haben Fahrer eingestellt."},
    }
    return Choices(**{**whole, **values})


def only_needed(entry: Entry) -> Choices:
    """Only what the entry cannot do without."""
    whole = filled()
    return Choices(**{name: getattr(whole, name) for name in entry.needs})


def steps_of(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All steps, those in branches, too."""
    return [one for step in steps for one in (step, *steps_of(step.get("yes", [])), *steps_of(step.get("no", [])))]


@pytest.mark.usefixtures("tenant")
@pytest.mark.parametrize("key", KEYS)
def test_each_becomes_a_draft_that_publishes_whole_or_with_the_least(key: str) -> None:
    entry = library.entry(key)
    assert entry is not None
    for choices in (filled(), only_needed(entry)):
        campaign = start(entry_key=key, name="Ours", choices=choices)
        assert (campaign.is_active, campaign.current_version) == (False, None)
        parse_entry(campaign.condition)
        version = versions.publish(campaign_id=campaign.pk, now=timezone.now())
        assert version.document == parse(campaign.draft).document


@pytest.mark.usefixtures("tenant")
def test_every_text_is_there_in_both_languages_with_the_same_variables() -> None:
    """The draft would be refused for a variable that nobody knows; here the languages are held together."""
    variables = re.compile(r"\{\{ ?([a-z_]+)")
    for entry in library.entries():
        for texts in (entry.name, entry.when, entry.about):
            assert set(texts) == {"en", "de"}
        for step in steps_of(entry.plan(filled()).steps):
            for name in TEXTS:
                texts = step.get(name)
                if texts is None:
                    continue
                assert set(texts) == {"en", "de"}, (entry.key, step["key"], name)
                assert texts["en"] != texts["de"]
                found = {code: sorted(set(variables.findall(text))) for code, text in texts.items()}
                assert found["en"] == found["de"], (entry.key, step["key"], name)


@pytest.mark.usefixtures("tenant")
@pytest.mark.parametrize("language", ["en", "de"])
def test_every_mail_reads_well_for_somebody_of_whom_we_know_nothing(language: str) -> None:
    factories.theme()
    for entry in library.entries():
        for step in steps_of(entry.plan(filled()).steps):
            if step["kind"] != "email":
                continue
            nobody = Contact(name="", email="x@example.com", locale=language, properties={})
            response = Response(survey=factories.SurveyFactory(), contact=nobody, score=8, locale=language)
            for with_comment in (True, False):
                mail = mail_previews.show(
                    step, campaign=Campaign(name="x"), response=response, language=language,
                    with_comment=with_comment, now=timezone.now(), base_url=BASE,
                )  # fmt: skip
                assert mail is not None
                for text in (mail.subject, mail.text):
                    # Nothing is left open, and no gap where a name, a touchpoint or a voucher would stand.
                    assert not re.search(r"[{}|]|“”|„“|  | ,|, ?[!?]|\(\)", text.split("http")[0]), text
                assert ("Hallo und guten Tag," if language == "de" else "Hello there,") in mail.text


@pytest.mark.usefixtures("tenant")
def test_a_draft_that_could_not_be_published_is_not_made() -> None:
    with pytest.raises(SequenceError):
        start(entry_key="you-said", name="x", choices=filled(did={"en": "{{ nothing }}", "de": "Ja"}))
    with pytest.raises(KeyError):
        start(entry_key="unheard-of", name="x", choices=filled())
    assert not Campaign.objects.exists()


def test_the_external_id_stands_in_the_query_of_the_referral_link() -> None:
    assert with_query("https://x.example/a", "ref=1") == "https://x.example/a?ref=1"
    assert with_query("https://x.example/a?b=2#top", "ref=1") == "https://x.example/a?b=2&ref=1#top"
