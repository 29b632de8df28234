"""What a new tenant still has to set up before the first survey goes out."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.integrations.models import ApiKey
from apps.messaging.models import Sender
from apps.surveys.models import Survey
from apps.touchpoints.models import Touchpoint
from apps.triggers.models import TriggerRule


@dataclass(frozen=True, slots=True)
class FirstStep:
    """One thing to do."""

    title: Promise
    text: Promise
    is_done: bool


def first_steps() -> list[FirstStep]:
    """The steps in order. Five queries; only a tenant without events and answers gets here."""
    return [
        FirstStep(
            _("Describe the journey"),
            _("Add the touchpoints where customers meet you, such as “order received” or “support closed”."),
            Touchpoint.objects.exists(),
        ),
        FirstStep(
            _("Write a survey"),
            _("Start with the recommendation question; add a comment and a few ratings."),
            Survey.objects.exists(),
        ),
        FirstStep(
            _("Say when to ask"),
            _("A trigger rule connects a touchpoint with a survey and a delay."),
            TriggerRule.objects.exists(),
        ),
        FirstStep(
            _("Choose a sender"),
            _("The name and address your invitations come from."),
            Sender.objects.exists(),
        ),
        FirstStep(
            _("Create an API key"),
            _("Your shop, CRM or help desk needs it to send events."),
            ApiKey.objects.exists(),
        ),
    ]
