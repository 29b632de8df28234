"""The drains of inviting, reminding and asking for consent."""

from apps.common.queues import drain_task
from apps.messaging import opt_in
from apps.surveys import consent_mails, reminders, services
from apps.tenants.registry import current_base_url

drain_task(
    queue=services.DISPATCH_QUEUE,
    step=lambda now: services.dispatch(now=now, base_url=current_base_url()),
    next_due=services.next_dispatch_due,
)
drain_task(
    queue=reminders.QUEUE,
    step=lambda now: reminders.remind(now=now, base_url=current_base_url()),
    next_due=reminders.next_due,
)
drain_task(
    queue=opt_in.ASK_QUEUE,
    step=lambda now: consent_mails.ask_due(now=now, base_url=current_base_url()),
    next_due=opt_in.next_due,
)
