"""Figures kept ready: how often each score was given, by day, survey, touchpoint and promise."""

from django.db import models

from apps.surveys.models import Survey
from apps.touchpoints.models import Touchpoint


class Rollup(models.Model):
    """Number of responses with one score on one UTC day. Scores not yet folded in: ``ScoreChange``."""

    day = models.DateField()
    survey = models.ForeignKey(Survey, models.CASCADE, related_name="+")
    touchpoint = models.ForeignKey(Touchpoint, models.CASCADE, null=True, related_name="+")
    is_incentivised = models.BooleanField(default=False, db_default=False)
    score = models.PositiveSmallIntegerField()
    responses = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["day", "survey", "touchpoint", "is_incentivised", "score"],
                name="rollup_cell_by_promise",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.score}: {self.responses}"
