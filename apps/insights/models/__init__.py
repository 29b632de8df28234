"""Figures kept ready, and what people want of them, note beside them, and share."""

from apps.insights.models.goals import Action, Annotation, Comparison, Target
from apps.insights.models.journey import Influence, JourneyReview, JourneyVersion
from apps.insights.models.rollups import SCORE_COLUMNS, Rollup
from apps.insights.models.views import SavedView, ShareLink

__all__ = [
    "SCORE_COLUMNS",
    "Action",
    "Annotation",
    "Comparison",
    "Influence",
    "JourneyReview",
    "JourneyVersion",
    "Rollup",
    "SavedView",
    "ShareLink",
    "Target",
]
