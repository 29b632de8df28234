"""The tenant's own mailbox for answers, and for the operator the ways of all tenants."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminPasswordWidget

from apps.cases import mailboxes, own_mailbox
from apps.cases.imap import MailboxError
from apps.cases.models import CaseMailbox, CaseMailboxMessage
from apps.common import sealed
from apps.common.admin import FlowAdmin, SingletonAdmin
from apps.common.admin_site import operator_admin, tenant_admin
from apps.relays.models import IncomingMessage, IncomingWay

ABOUT_SERVER = ("host", "port", "security", "user")
TEST_SECONDS = 15.0


class MailboxForm(forms.ModelForm):
    """The password is never shown, kept when its input stays empty, and goes to no other server than it was for."""

    password = forms.CharField(
        label=_("Password"),
        max_length=500,
        required=False,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}, render_value=False),
    )

    class Meta:
        model = CaseMailbox
        fields = ("address", *ABOUT_SERVER, "password", "folder", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stored = self.instance.password if self.instance.pk else ""
        field = self.fields.get("password")
        if field is not None:
            field.initial = ""
            kept = _("Something is stored and not shown. Leave it empty to keep it.") if self.stored else ""
            field.help_text = str(sealed.problem(self.stored) or kept)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("password"):
            return data
        if not self.stored or sealed.problem(self.stored):
            self.add_error("password", _("Enter the mailbox's password."))
        elif set(ABOUT_SERVER) & set(self.changed_data):
            self.add_error("password", _("Enter the password again: the server, its encryption or the user changed."))
        data["password"] = self.stored
        return data


@admin.register(CaseMailbox, site=tenant_admin)
class CaseMailboxAdmin(SingletonAdmin):
    """One row, looked into every minute. Without one answers go to the platform's address, if there is one."""

    form = MailboxForm
    fieldsets = (
        (None, {"fields": ("address", "is_active")}),
        (_("IMAP"), {"fields": (*ABOUT_SERVER, "password", "folder")}),
        (_("How it goes"), {"fields": ("checked_at", "taken", "nobodys", "last_error")}),
    )
    readonly_fields = ("checked_at", "taken", "nobodys", "last_error")
    actions_submit_line = ("test_connection",)

    def save_model(self, request: HttpRequest, obj: CaseMailbox, form: Any, change: bool) -> None:
        if change and {"host", "user", "folder"} & set(form.changed_data):
            # Another folder: its numbers are others, whatever it calls them.
            obj.uid_validity, obj.last_uid, obj.checked_at = None, 0, None
        super().save_model(request, obj, form, change)
        own_mailbox.saved(now=timezone.now())

    @action(description=_("Save and test the connection"), permissions=["change"])
    def test_connection(self, request: HttpRequest, obj: CaseMailbox) -> None:
        """Sign in now, while somebody waits."""
        try:
            count = mailboxes.try_out(own_mailbox.account_of(obj), seconds=TEST_SECONDS)
        except (MailboxError, sealed.UnreadableError) as error:
            text = _("The mailbox cannot be read: %(error)s Check server, port, encryption, user name and password.")
            messages.error(request, text % {"error": error})
            return
        text = ngettext("It works: the folder holds %d mail.", "It works: the folder holds %d mails.", count)
        messages.success(request, text % count)


class PendingAdmin(FlowAdmin):
    """Mails that could not be taken. They are still in the mailbox, unread."""

    list_display = ("at", "message_id", "status", "tries", "error")
    list_filter = ("state",)
    search_fields = ("message_id", "error")
    search_help_text = _("Message-ID or error")
    ordering = ("-at", "-id")
    actions = ("try_again",)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        name = f"{self.opts.app_label}.change_{self.opts.model_name}"
        return bool(getattr(request.user, "has_perm", lambda _name: False)(name))

    @display(
        description=_("state"),
        ordering="state",
        label={"to_mark": "success", "failing": "warning", "aside": "danger"},
    )
    def status(self, row: Any) -> tuple[str, str]:
        return row.state, row.get_state_display()

    @admin.action(description=_("Try again"), permissions=["retry"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        count = mailboxes.try_again(messages=queryset, now=timezone.now())
        text = ngettext("%d mail is tried again within a minute.", "%d mails are tried again within a minute.", count)
        self.message_user(request, text % count, messages.SUCCESS if count else messages.WARNING)


@admin.register(CaseMailboxMessage, site=tenant_admin)
class CaseMailboxMessageAdmin(PendingAdmin):
    """In the tenant's own mailbox."""


@admin.register(IncomingMessage, site=operator_admin)
class IncomingMessageAdmin(PendingAdmin):
    """In the mailbox of all tenants."""


@admin.register(IncomingWay, site=operator_admin)
class IncomingWayAdmin(FlowAdmin):
    """The ways by which mails come in for all tenants, and how they fare."""

    fields = ("key", "checked_at", "next_check_at", "taken", "nobodys", "faults", "last_error")
    list_display = ("key", "checked_at", "taken", "nobodys", "faults", "last_error")
    search_fields = ("key", "last_error")
    search_help_text = _("Key or error")
    list_filter = (("last_error", admin.EmptyFieldListFilter),)
    ordering = ("key",)
