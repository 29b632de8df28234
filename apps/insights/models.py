"""Figures kept ready: how often each score was given, by day, survey and touchpoint."""

from django.db import models

from apps.surveys.models import Survey
from apps.touchpoints.models import Touchpoint


class Rollup(models.Model):
    """Number of responses with one score on one UTC day. Scores not yet folded in: ``ScoreChange``."""

    day = models.DateField()
    survey = models.ForeignKey(Survey, models.CASCADE, related_name="+")
    touchpoint = models.ForeignKey(Touchpoint, models.CASCADE, null=True, related_name="+")
    score = models.PositiveSmallIntegerField()
    responses = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["day", "survey", "touchpoint", "score"], name="rollup_cell", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.score}: {self.responses}"
