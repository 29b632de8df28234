"""Follow-up campaigns: what they do, and every contact's run through them."""

from apps.campaigns.models.campaigns import Campaign, CampaignVersion, Segment
from apps.campaigns.models.runs import Enrolment, Launch, StepRun
from apps.campaigns.models.trials import CampaignTrial

__all__ = ["Campaign", "CampaignTrial", "CampaignVersion", "Enrolment", "Launch", "Segment", "StepRun"]
