"""Rows for tests, made with plausible values; say only what the test is about."""

from datetime import timedelta
from typing import Any

import factory
from django.utils import timezone

from apps.campaigns import versions
from apps.campaigns.models import Campaign
from apps.contacts.models import Contact, LegalBasis
from apps.surveys.models import Question, Survey, Theme
from apps.touchpoints.models import Event, Stage, Touchpoint
from apps.triggers.models import TriggerRule

MAIL = {
    "subject": {"en": "Thanks, {{ name|friend }}", "de": "Danke, {{ name|Du }}"},
    "body": {"en": "You gave {{ score }} for {{ touchpoint }}.", "de": "{{ score }} für {{ touchpoint }}."},
    "subject_no_comment": {"en": "Tell us more", "de": "Erzählen Sie mehr"},
    "body_no_comment": {"en": "Why {{ score }}?", "de": "Warum {{ score }}?"},
    "also_while_case": True,
}
"""What a campaign's mail says unless a test says otherwise."""


class StageFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Stage
        django_get_or_create = ("key",)

    key = "delivery"
    name = {"en": "Delivery", "de": "Lieferung"}


class TouchpointFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Touchpoint
        django_get_or_create = ("key",)

    key = "order_received"
    name = {"en": "Order received", "de": "Bestellung erhalten"}
    stage = factory.SubFactory(StageFactory)
    legal_basis = LegalBasis.Kind.EXISTING_CUSTOMER


class SurveyFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Survey
        django_get_or_create = ("key",)
        skip_postgeneration_save = True

    key = "order"
    name = {"en": "Order", "de": "Bestellung"}

    @factory.post_generation
    def questions(self: Any, create: bool, extracted: Any, **kwargs: Any) -> None:
        if not create or self.questions.exists():
            return
        Question.objects.bulk_create(
            [
                Question(
                    survey=self,
                    key="nps",
                    kind="nps",
                    is_required=True,
                    position=0,
                    text={"en": "How likely are you to recommend us?", "de": "Würden Sie uns empfehlen?"},
                ),
                Question(
                    survey=self,
                    key="comment",
                    kind="comment",
                    position=1,
                    text={"en": "What is the main reason?", "de": "Was ist der Hauptgrund?"},
                    text_promoter={"en": "What did you like most?", "de": "Was gefiel Ihnen am besten?"},
                    text_passive={"en": "What would make it a 9?", "de": "Was fehlte zur 9?"},
                    text_detractor={"en": "What went wrong?", "de": "Was lief schief?"},
                ),
                Question(
                    survey=self,
                    key="delivery",
                    kind="rating",
                    position=2,
                    text={"en": "Delivery time", "de": "Lieferzeit"},
                ),
            ]
        )


class TriggerRuleFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = TriggerRule
        skip_postgeneration_save = True

    name = "After the order"
    survey = factory.SubFactory(SurveyFactory)
    delay = timedelta(days=3)

    @factory.post_generation
    def touchpoints(self: Any, create: bool, extracted: Any, **kwargs: Any) -> None:
        """``touchpoints=[…]``; the order that was received unless told otherwise."""
        if create:
            self.touchpoints.set([TouchpointFactory()] if extracted is None else extracted)


class ContactFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Contact

    external_id = factory.Sequence(lambda n: f"c-{n}")
    email = factory.Sequence(lambda n: f"contact{n}@example.com")
    name = "Ada Lovelace"
    locale = "en"


class EventFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Event

    touchpoint = factory.SubFactory(TouchpointFactory)
    occurred_at = factory.LazyFunction(timezone.now)
    received_at = factory.LazyFunction(timezone.now)
    contact_data = factory.Sequence(
        lambda n: {"external_id": f"e-{n}", "email": f"event{n}@example.com", "name": "Ada Lovelace", "locale": "en"}
    )


class CampaignFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Campaign

    name = "Follow-up"
    segment = "promoter"


def step(campaign: Campaign | None = None, kind: str = "email", **settings: Any) -> Campaign:
    """Put a step at the end of what a campaign does, and publish it; returns the campaign."""
    campaign = campaign or CampaignFactory()
    words = MAIL if kind == "email" else {}
    added = {"key": f"s{len(campaign.draft['steps']) + 1}", "kind": kind, **words, **settings}
    return publish(campaign, [*campaign.draft["steps"], added])


def publish(campaign: Campaign, steps: list[dict[str, Any]]) -> Campaign:
    """Make these steps what a campaign does."""
    campaign.draft = {"steps": steps}
    campaign.save()
    versions.publish(campaign_id=campaign.pk, now=timezone.now())
    campaign.refresh_from_db()
    return campaign


def theme(**values: Any) -> Theme:
    """The tenant's theme row."""
    defaults = {"brand_name": "Nordwind", "accent": "#0f6e84", "imprint_url": "https://nordwind.example/imprint"}
    return Theme.objects.update_or_create(pk=1, defaults={**defaults, **values})[0]


def house(**rule: Any) -> TriggerRule:
    """A rule with all that an event needs to end as an invitation, and a campaign per segment."""
    theme()
    for segment in ("promoter", "passive", "detractor"):
        step(CampaignFactory(segment=segment))
    return TriggerRuleFactory(**rule)
