"""A ready-made campaign becomes a draft: nothing runs until somebody publishes it and switches it on."""

from apps.campaigns import library, versions
from apps.campaigns.library.blocks import Choices
from apps.campaigns.models import Campaign
from apps.campaigns.sequence import SequenceError


def start(*, entry_key: str, name: str, choices: Choices) -> Campaign:
    """Write the campaign, switched off and not published.

    Raises KeyError if there is no such entry, SequenceError if the choices make steps that cannot be published, and
    ValidationError if they make settings that cannot be.
    """
    entry = library.entry(entry_key)
    if entry is None:
        raise KeyError(entry_key)
    plan = entry.plan(choices)
    campaign = Campaign(name=name, is_active=False, draft={"steps": plan.steps}, **plan.settings)
    found = versions.problems(document=campaign.draft, stops_on_response=campaign.stop_on_response)
    if found:
        raise SequenceError(found)
    campaign.full_clean()
    campaign.save()
    return campaign
