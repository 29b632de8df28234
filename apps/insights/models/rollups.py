"""Figures kept ready: how often each score was given, by day, survey, touchpoint and promise."""

from django.db import models

from apps.surveys.models import Survey
from apps.touchpoints.models import Touchpoint

SCORE_COLUMNS = tuple(f"given_{score}" for score in range(11))
"""The column of each score, 0 to 10."""


class Rollup(models.Model):
    """How often each score was given on one UTC day. What is not yet folded in: ``ScoreChange``.

    One row holds all eleven scores, so that a year of a day's cells is read as a few thousand rows however many
    responses there are.
    """

    day = models.DateField()
    survey = models.ForeignKey(Survey, models.CASCADE, related_name="+")
    touchpoint = models.ForeignKey(Touchpoint, models.CASCADE, null=True, related_name="+")
    is_incentivised = models.BooleanField(default=False, db_default=False)
    given_0 = models.IntegerField(default=0, db_default=0)
    given_1 = models.IntegerField(default=0, db_default=0)
    given_2 = models.IntegerField(default=0, db_default=0)
    given_3 = models.IntegerField(default=0, db_default=0)
    given_4 = models.IntegerField(default=0, db_default=0)
    given_5 = models.IntegerField(default=0, db_default=0)
    given_6 = models.IntegerField(default=0, db_default=0)
    given_7 = models.IntegerField(default=0, db_default=0)
    given_8 = models.IntegerField(default=0, db_default=0)
    given_9 = models.IntegerField(default=0, db_default=0)
    given_10 = models.IntegerField(default=0, db_default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["day", "survey", "touchpoint", "is_incentivised"],
                name="rollup_day_cell",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.responses}"

    @property
    def scores(self) -> dict[int, int]:
        """How often each score was given, without those that were not."""
        given = {score: int(getattr(self, column)) for score, column in enumerate(SCORE_COLUMNS)}
        return {score: number for score, number in given.items() if number}

    @property
    def responses(self) -> int:
        """All of them."""
        return sum(self.scores.values())
