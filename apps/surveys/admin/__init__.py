"""Surveys with their questions, the tenant's look, and who was invited."""

from apps.surveys.admin.invitations import InvitationAdmin
from apps.surveys.admin.surveys import SurveyAdmin
from apps.surveys.admin.themes import ThemeAdmin

__all__ = ["InvitationAdmin", "SurveyAdmin", "ThemeAdmin"]
