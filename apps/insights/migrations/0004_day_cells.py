from django.db import migrations, models

COLUMNS = [f"given_{score}" for score in range(11)]
_SUMS = ", ".join(f"COALESCE(SUM(responses) FILTER (WHERE score = {score}), 0) AS given_{score}" for score in range(11))

# Figures are a few thousand rows a year, however many responses there are: written anew in one go. Nobody folds
# meanwhile; whoever tries waits, and a worker of the version before tries again until it is replaced.
_GATHER = f"""
LOCK TABLE insights_rollup IN ACCESS EXCLUSIVE MODE;
CREATE TEMPORARY TABLE rollup_by_day ON COMMIT DROP AS
    SELECT day, survey_id, touchpoint_id, is_incentivised, {_SUMS} FROM insights_rollup
    GROUP BY day, survey_id, touchpoint_id, is_incentivised HAVING SUM(responses) <> 0 OR COUNT(*) > 1;
DELETE FROM insights_rollup;
"""
_PUT_BACK = f"""
INSERT INTO insights_rollup (day, survey_id, touchpoint_id, is_incentivised, {", ".join(COLUMNS)})
    SELECT * FROM rollup_by_day;
SET CONSTRAINTS ALL IMMEDIATE;
DROP TABLE rollup_by_day;
"""


class Migration(migrations.Migration):
    """A cell holds all eleven scores of a day instead of one."""

    dependencies = [("insights", "0003_cell_by_promise")]

    operations = [
        migrations.RunSQL(_GATHER),
        migrations.RemoveConstraint(model_name="rollup", name="rollup_cell_by_promise"),
        migrations.RemoveField(model_name="rollup", name="score"),
        migrations.RemoveField(model_name="rollup", name="responses"),
        *(
            migrations.AddField(
                model_name="rollup", name=column, field=models.IntegerField(default=0, db_default=0)
            )
            for column in COLUMNS
        ),
        migrations.AddConstraint(
            model_name="rollup",
            constraint=models.UniqueConstraint(
                fields=("day", "survey", "touchpoint", "is_incentivised"),
                name="rollup_day_cell",
                nulls_distinct=False,
            ),
        ),
        migrations.RunSQL(_PUT_BACK),
    ]
