"""Saved conditions over contacts."""

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.conditions import ConditionError
from apps.triggers.problems import sentences
from apps.triggers.rules import parse_segment


class Segment(models.Model):
    """Those contacts who fit a condition, under a name. Who belongs to it is found anew each time."""

    key = models.SlugField(_("key"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=120)
    condition = models.JSONField(_("condition"), default=dict, blank=True)

    class Meta:
        verbose_name = _("segment of contacts")
        verbose_name_plural = _("segments of contacts")
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        try:
            self.condition = parse_segment(self.condition).tree
        except ConditionError as error:
            raise ValidationError({"condition": sentences(error)}) from error

    @classmethod
    def trees(cls) -> dict[str, object]:
        """Every segment's condition by its key."""
        return dict(cls.objects.values_list("key", "condition"))
