"""Surveys, how they look, and who was invited to answer them."""

from apps.surveys.models.invitations import Invitation
from apps.surveys.models.reminders import Reminder, SurveyReminder
from apps.surveys.models.surveys import Question, Survey, SurveyVersion, ThankYou
from apps.surveys.models.themes import Logo, Theme
from apps.surveys.models.websites import Website

__all__ = [
    "Invitation",
    "Logo",
    "Question",
    "Reminder",
    "Survey",
    "SurveyReminder",
    "SurveyVersion",
    "ThankYou",
    "Theme",
    "Website",
]
