"""Surveys with their questions, the tenant's look, and who was invited."""

from apps.surveys.admin.invitations import InvitationAdmin
from apps.surveys.admin.mail_templates import MailTemplateAdmin
from apps.surveys.admin.reminders import ReminderAdmin
from apps.surveys.admin.surveys import SurveyAdmin
from apps.surveys.admin.themes import ThemeAdmin

__all__ = ["InvitationAdmin", "MailTemplateAdmin", "ReminderAdmin", "SurveyAdmin", "ThemeAdmin"]
