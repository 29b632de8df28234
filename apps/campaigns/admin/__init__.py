"""Follow-up campaigns: their editor, their versions, and every contact's run through them."""

from apps.campaigns.admin import campaigns, runs

__all__ = ["campaigns", "runs"]
