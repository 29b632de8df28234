"""What the side bars of the two admin sites list."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from apps.common.admin_site import operator_admin, tenant_admin

Group = tuple[str, list[tuple[str, str]]]


def tenant(request: HttpRequest) -> list[dict[str, Any]]:
    """Side bar of a tenant's admin: what may be seen, in the order of the work."""
    groups: list[Group] = [
        (_("Journey"), [("touchpoints.stage", "flag"), ("touchpoints.touchpoint", "route"),
                        ("touchpoints.event", "bolt")]),
        (_("Asking"), [("triggers.triggerrule", "rule"), ("triggers.cadence", "event_repeat"),
                       ("triggers.segment", "group_work"), ("surveys.survey", "quiz"), ("surveys.theme", "palette"),
                       ("contacts.contactbudget", "hourglass_top"), ("contacts.businesscalendar", "calendar_month"),
                       ("triggers.decision", "alt_route"), ("triggers.dryrun", "science"),
                       ("surveys.invitation", "send"), ("surveys.reminder", "notifications")]),
        (_("On your website"), [("embed.placement", "web_asset"), ("surveys.website", "language"),
                                ("embed.embedsecret", "fingerprint")]),
        (_("Answering"), [("responses.response", "forum")]),
        (_("Cases"), [("cases.case", "support_agent"), ("cases.caserule", "assignment_add"),
                      ("cases.casepolicy", "timer"), ("cases.responsibility", "person_pin"),
                      ("cases.outcome", "task_alt"), ("cases.rootcause", "account_tree")]),
        (_("Follow-up"), [("campaigns.campaign", "campaign"), ("campaigns.enrolment", "how_to_reg"),
                          ("campaigns.steprun", "checklist"), ("incentives.voucherpool", "redeem"),
                          ("incentives.voucher", "confirmation_number")]),
        (_("Alerts"), [("alerts.subscription", "notifications_active"), ("alerts.channel", "tag"),
                       ("alerts.alertsettings", "do_not_disturb_on"), ("alerts.notice", "notification_important")]),
        (_("Mail"), [("messaging.mailtemplate", "drafts"), ("messaging.sender", "alternate_email"),
                     ("cases.casemailbox", "mark_email_unread"), ("cases.casemailboxmessage", "report"),
                     ("messaging.outgoingemail", "outbox"), ("messaging.suppression", "block"),
                     ("messaging.mailpolicy", "inventory_2"), ("contacts.outreach", "history")]),
        (_("Developers"), [("integrations.apikey", "key"), ("integrations.endpoint", "webhook"),
                           ("integrations.delivery", "outbound"), ("integrations.replay", "replay")]),
        (_("People"), [("contacts.contact", "person"), ("contacts.company", "domain"),
                       ("contacts.legalbasis", "gavel"), ("contacts.optin", "mark_email_read"),
                       ("contacts.consentpolicy", "policy"), ("transfers.import", "upload_file"),
                       ("accounts.user", "badge"), ("auth.group", "groups")]),
    ]  # fmt: skip
    workspace = {"title": _("Back to the workspace"), "icon": "arrow_back", "link": "/", "active": False}
    return [{"items": [workspace]}, *_groups(tenant_admin, groups, request)]


def operator(request: HttpRequest) -> list[dict[str, Any]]:
    """Side bar of the operator's admin."""
    groups: list[Group] = [
        (_("Platform"), [("tenants.tenant", "apartment"), ("tenants.domain", "language")]),
        (_("Mail"), [("relays.relay", "forward_to_inbox"), ("relays.relaystate", "heart_check"),
                     ("relays.incomingway", "move_to_inbox"), ("relays.incomingmessage", "report")]),
        (_("Schedule"), [("django_celery_beat.periodictask", "schedule"),
                         ("django_celery_beat.intervalschedule", "timelapse"),
                         ("django_celery_beat.crontabschedule", "calendar_clock"),
                         ("django_celery_beat.clockedschedule", "alarm")]),
        (_("People"), [("accounts.user", "badge")]),
    ]  # fmt: skip
    front = {"title": _("Back to the front page"), "icon": "arrow_back", "link": "/", "active": False}
    return [{"items": [front]}, *_groups(operator_admin, groups, request)]


def _groups(site: Any, groups: list[Group], request: HttpRequest) -> list[dict[str, Any]]:
    """The groups as Unfold wants them, without what the user may not see."""
    registered = {model._meta.label_lower: (model, admin) for model, admin in site._registry.items()}
    result = []
    for title, entries in groups:
        items = []
        for label, icon in entries:
            model, admin = registered[label]
            if admin.has_view_or_change_permission(request):
                name = f"{site.name}:{label.replace('.', '_')}_changelist"
                items.append({"title": capfirst(model._meta.verbose_name_plural), "icon": icon, "link": reverse(name)})
        if items:
            result.append({"title": title, "items": items})
    return result
