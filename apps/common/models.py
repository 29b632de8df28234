"""The agenda: which tenant has work due in which queue. Lives in the public schema only."""

from django.db import models


class AgendaItem(models.Model):
    """One row per tenant and queue. ``due_at`` is null while nothing is waiting."""

    schema_name = models.CharField(max_length=41)
    queue = models.CharField(max_length=60)
    due_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["schema_name", "queue"], name="agenda_one_per_queue")]
        indexes = [
            models.Index(fields=["due_at"], name="agenda_due", condition=models.Q(due_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.schema_name}/{self.queue}"


class Progress(models.Model):
    """How far somebody is with a batch whose effects cannot be taken back. Unlogged: see apps.common.progress."""

    id = models.UUIDField(primary_key=True)
    begun = models.PositiveSmallIntegerField(default=0)
    answered = models.PositiveSmallIntegerField(default=0)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.answered}/{self.begun}"
