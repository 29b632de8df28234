"""Would it show? The real decision for a made-up visitor, taken back at once."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.contacts.identity import ContactData
from apps.embed import services
from apps.embed.asking import Ask
from apps.embed.models import Placement
from apps.embed.rules import origin_of, url_matches
from apps.triggers import reasons

_SENTENCES = {
    "placement_inactive": _("The placement is switched off."),
    "other_touchpoint": _("The page names another touchpoint."),
    "url": _("The placement does not belong to this page."),
    "website": _("This website is not among those that may ask. Add it."),
}


class TrialForm(forms.Form):
    """A page, and who looks at it."""

    placement = forms.ModelChoiceField(
        Placement.objects.select_related("touchpoint"), label=_("Placement"), widget=UnfoldAdminSelectWidget
    )
    url = forms.URLField(label=_("Page"), max_length=2000, widget=UnfoldAdminTextInputWidget, assume_scheme="https")
    external_id = forms.CharField(
        label=_("External id of the contact"),
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Empty: a visitor whom nobody knows."),
    )


@dataclass(frozen=True, slots=True)
class Trial:
    """What would happen, as a sentence."""

    show: bool
    sentence: str | Promise
    waits_for: tuple[str | Promise, ...] = ()
    """What the browser looks at before it asks."""


class _TakenBackError(Exception):
    pass


def try_out(*, form: TrialForm, now: datetime) -> Trial:
    """Decide as for a real page; nothing of it stays."""
    data = form.cleaned_data
    placement: Placement = data["placement"]
    if not services.may_embed(origin=origin_of(data["url"])):
        return _told(placement, False, "website")
    answer = _ask(placement, data, now)
    return _told(placement, answer.show, answer.why)


def _ask(placement: Placement, data: dict[str, Any], now: datetime) -> services.Answer:
    """The answer; the contact counts as signed, for the tenant's own staff asks."""
    contact = ContactData(external_id=data["external_id"]) if data["external_id"] else ContactData()
    if not placement.is_active or not url_matches(placement.url_patterns, data["url"]):
        return services.ask(question=Ask(placement=placement.pk, url=data["url"]), now=now)
    found: list[services.Answer] = []
    try:
        with transaction.atomic():
            found.append(services.decide(placement=placement, url=data["url"], contact=contact, now=now))
            raise _TakenBackError
    except _TakenBackError:
        return found[0]


def _told(placement: Placement, show: bool, why: str) -> Trial:
    sentence = _("It would show.") if show else _SENTENCES.get(why) or reasons.sentence(why)
    return Trial(show, sentence, tuple(_conditions(placement)) if show else ())


def _conditions(placement: Placement) -> list[str | Promise]:
    told: list[str | Promise] = []
    if placement.on_track:
        told.append(_("until the page calls track() or show()"))
    if placement.delay:
        told.append(_("%(count)d seconds") % {"count": placement.delay})
    if placement.scroll:
        told.append(_("until %(percent)d %% of the page have been seen") % {"percent": placement.scroll})
    if placement.on_exit:
        told.append(_("until the mouse leaves the page"))
    if placement.percent < 100:
        told.append(_("and %(percent)d %% of the visitors are asked") % {"percent": placement.percent})
    return told
