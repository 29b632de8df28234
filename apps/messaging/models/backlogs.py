"""How far the sending of what waits is: noted while it goes on, so that a page can tell without counting history."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Backlog(models.Model):
    """A stream in which messages wait, from the moment that the first of them did. Gone when none waits any more."""

    stream = models.CharField(_("belongs to"), max_length=60, unique=True, blank=True)
    began_at = models.DateTimeField(_("since"))
    # When how many of the messages queued since the beginning waited no more, the latest first; see backlogs.
    trail = models.JSONField(default=list)

    class Meta:
        verbose_name = _("backlog")
        verbose_name_plural = _("backlogs")

    def __str__(self) -> str:
        return self.stream or str(_("others"))
