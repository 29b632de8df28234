"""Views that were saved under a name, and the links that show them to whoever has no sign-in."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib.auth.models import AbstractUser
from django.db import IntegrityError, transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.common import tokens
from apps.insights.models import SavedView, ShareLink
from apps.workspace.dashboard_filter import DashboardFilter
from apps.workspace.filters import Filter

CHANGE = "insights.change_savedview"
SHARE = "insights.add_sharelink"
_PURPOSE = "share-link"
MAX_VIEWS, MAX_LINKS = 500, 50
"""So many views may be saved, and so many links of one may work at a time."""
MAX_AHEAD = timedelta(days=3660)
MAX_FILTERS, MAX_VALUE = 30, 300
TAKEN = _("There is a view of this name already. Take another name.")


class ViewFilter(Filter):
    """Saved views by name."""


class NameForm(forms.ModelForm):
    """The name of a view."""

    class Meta:
        model = SavedView
        fields = ("name",)

    def clean_name(self) -> str:
        """A name that no other view of the page has."""
        name = str(self.cleaned_data["name"])
        if SavedView.objects.filter(page=self.instance.page, name=name).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(TAKEN)
        return name


class LinkForm(forms.Form):
    """When a link ends."""

    expires_on = forms.DateField(
        label=_("Last day"),
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Empty: it works until somebody revokes it."),
    )

    def __init__(self, *args: Any, now: datetime) -> None:
        super().__init__(*args)
        self.today = now.date()

    def clean_expires_on(self) -> Any:
        """A day that is still to come."""
        day = self.cleaned_data["expires_on"]
        if day is not None and day < self.today:
            raise forms.ValidationError(_("This day is over. Take a later one, or none."))
        if day is not None and day > self.today + MAX_AHEAD:
            raise forms.ValidationError(_("This is too far ahead. Take a day within ten years, or none."))
        return day


def keep(form: NameForm) -> bool:
    """Save a valid form; False, with an error at the name, if somebody else took it in this moment."""
    form.instance.updated_at = timezone.now()
    try:
        with transaction.atomic():
            form.save()
    except IntegrityError:
        form.add_error("name", TAKEN)
        return False
    return True


def may_change(user: AbstractUser, view: SavedView) -> bool:
    """One's own views, and everybody's with the right to."""
    return view.created_by_id == user.pk or user.has_perm(CHANGE)


def views(values: Mapping[str, Any]) -> QuerySet[SavedView]:
    """Saved views that fit a ViewFilter, each with the number of its links that are not revoked."""
    found = SavedView.objects.select_related("created_by")
    found = found.annotate(shared=Count("links", filter=Q(links__revoked_at=None)))
    return found.filter(name__icontains=values["q"]) if values["q"] else found


def left(form: DashboardFilter) -> SavedView | None:
    """The view that the form was opened from, if it is still there. One query, if there was one."""
    pk = form.asked["view"]
    return SavedView.objects.filter(pk=pk, page=SavedView.Page.DASHBOARD).first() if pk else None


def opened(pk: str) -> SavedView | None:
    """The view of the journey map that an address names, if it does and it is still there. One query then."""
    try:
        return SavedView.objects.filter(pk=UUID(pk), page=SavedView.Page.JOURNEY).first()
    except ValueError:
        return None


def kept(query: Mapping[str, Any]) -> dict[str, str]:
    """Names and values of an address, as far as a view keeps them."""
    pairs = [(str(name), str(value)) for name, value in query.items() if value and name not in ("view", "cursor")]
    return {name: value for name, value in pairs[:MAX_FILTERS] if len(name) <= 60 and len(value) <= MAX_VALUE}


def share(*, view: SavedView, expires_at: datetime | None, by: AbstractUser, now: datetime) -> ShareLink:
    """A new link to a view; it works until it ends (None: never) or is revoked."""
    return ShareLink.objects.create(view=view, expires_at=expires_at, created_by_id=by.pk, created_at=now)


def working(links: QuerySet[ShareLink], *, now: datetime) -> QuerySet[ShareLink]:
    """Those that are neither revoked nor over."""
    return links.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)


def token_of(link: ShareLink) -> str:
    """What stands in the link's address: nothing without this tenant's key, and nothing to any other tenant."""
    return tokens.sign(_PURPOSE, str(link.pk))


def shared(token: str, *, now: datetime) -> ShareLink | None:
    """The link of a token while it works; what is made up, over or revoked is all the same None.

    That it was looked at is noted once a day.
    """
    try:
        pk = UUID(tokens.unsign(_PURPOSE, token) or "")
    except ValueError:
        return None
    link = working(ShareLink.objects.select_related("view"), now=now).filter(pk=pk).first()
    today = now.date()
    if link is not None and link.last_used_on != today:
        ShareLink.objects.filter(Q(last_used_on=None) | ~Q(last_used_on=today), pk=pk).update(last_used_on=today)
    return link
