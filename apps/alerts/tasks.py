"""Wakes the mailing and the posting of notices, and the forgetting of old ones."""

from apps.alerts import keeping, mails, posting, services
from apps.common.queues import drain_task
from apps.tenants.registry import current_base_url

# Writing mails must not wait long for others' receivers: the rest goes to the back of the line.
SHARE_SECONDS = 5.0

drain_task(
    queue=services.DELIVER_QUEUE,
    step=lambda now: mails.deliver_due(now=now, base_url=current_base_url()),
    next_due=mails.next_due,
)
drain_task(
    queue=services.POST_QUEUE,
    step=lambda now: posting.post_due(now=now, base_url=current_base_url()),
    next_due=posting.next_due,
    seconds=SHARE_SECONDS,
)
drain_task(queue=keeping.QUEUE, step=lambda now: keeping.forget_old(now=now), next_due=keeping.next_due)
