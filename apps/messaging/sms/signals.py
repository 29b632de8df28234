"""What the public host hears; receivers find the tenant."""

from django.dispatch import Signal

reported = Signal()
"""``sid``, ``kind``, ``detail``, ``event_id``, ``now``: what became of a text message."""
stopped = Signal()
"""``number``, ``now``: its owner wants no more."""
