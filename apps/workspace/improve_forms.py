"""Forms about targets, annotations and improvement actions: what is filtered, made and changed."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.insights.models import Action, Annotation, Target
from apps.touchpoints.models import Touchpoint
from apps.triggers.models import Segment
from apps.workspace.filters import ANY, TouchpointFilter
from apps.workspace.templatetags.workspace import person

OVERALL = "-"
"""In an address: over everything, or everywhere, rather than at one touchpoint."""
OVERDUE, MINE = "overdue", "me"


def _labels(choices: Iterable[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    return [(value, capfirst(label)) for value, label in choices]


def people() -> list[Any]:
    """Everybody who may own something, by name."""
    users: Any = get_user_model()._default_manager
    return list(users.filter(is_active=True).order_by("first_name", "last_name", "username"))


class ActionFilter(TouchpointFilter):
    """Actions by status, owner and touchpoint."""

    status = forms.ChoiceField(
        label=_("Status"),
        required=False,
        choices=[
            ANY,
            ("open", pgettext_lazy("improvement actions", "Open")),
            (OVERDUE, pgettext_lazy("improvement actions", "Overdue")),
            *_labels(Action.Status.choices),
        ],
    )
    owner = forms.ChoiceField(label=_("Owner"), required=False)
    field_order = ["q", "status", "owner", "touchpoint"]

    def __init__(self, data: Any, *, touchpoints: Iterable[Touchpoint], owners: Iterable[Any]) -> None:
        super().__init__(data, touchpoints=touchpoints)
        choices = [ANY, (MINE, _("Mine")), *((str(user.pk), person(user)) for user in owners)]
        self.fields["owner"].choices = choices  # type: ignore[attr-defined]


class _PlaceFilter(TouchpointFilter):
    """With a choice for what is of no single touchpoint."""

    whole = _("Everywhere")

    def __init__(self, data: Any, *, touchpoints: Iterable[Touchpoint]) -> None:
        super().__init__(data, touchpoints=touchpoints)
        field: Any = self.fields["touchpoint"]
        field.choices = [field.choices[0], (OVERALL, self.whole), *field.choices[1:]]


class TargetFilter(_PlaceFilter):
    """Targets by status and touchpoint."""

    whole = _("All touchpoints together")
    status = forms.ChoiceField(
        label=_("Status"),
        required=False,
        choices=[ANY, (OVERDUE, pgettext_lazy("targets", "Overdue")), *_labels(Target.Status.choices)],
    )
    field_order = ["q", "status", "touchpoint"]


class AnnotationFilter(_PlaceFilter):
    """Annotations by touchpoint and time."""

    days = forms.ChoiceField(
        label=_("Period"),
        required=False,
        choices=[ANY, ("30", _("Last 30 days")), ("90", _("Last 90 days")), ("365", _("Last 12 months"))],
    )
    field_order = ["q", "touchpoint", "days"]


class Day(forms.DateInput):
    """A day, by the browser's own picker."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class _ComparedForm(forms.ModelForm):
    """What an effect is measured against; which segments there are is read once."""

    control_segment = forms.ChoiceField(
        label=_("compared with segment"),
        required=False,
        help_text=_("Contacts for whom nothing was changed. The others are compared with them."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        places = Touchpoint.objects.select_related("stage")
        for name in ("touchpoint", "control_touchpoint"):
            field: Any = self.fields[name]
            field.queryset = places
        choices = [("", _("Nobody")), *Segment.objects.order_by("name").values_list("key", "name")]
        kept = self.instance.control_segment
        if kept and kept not in {key for key, _name in choices}:
            choices.append((kept, kept))
        self.fields["control_segment"].choices = choices  # type: ignore[attr-defined]
        where: Any = self.fields["touchpoint"]
        where.empty_label = _("Choose a touchpoint")
        control: Any = self.fields["control_touchpoint"]
        control.empty_label = _("Nothing")
        control.label = _("compared with touchpoint")


class ActionForm(_ComparedForm):
    """What is tried, why, by whom, until when, and how its effect is measured."""

    class Meta:
        model = Action
        fields = (
            "title", "touchpoint", "hypothesis", "owner", "starts_on", "due_on", "learned",
            "window", "control_touchpoint", "control_segment",
        )  # fmt: skip
        widgets = {
            "starts_on": Day,
            "due_on": Day,
            "hypothesis": forms.Textarea({"rows": 3}),
            "learned": forms.Textarea({"rows": 3}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owner: Any = self.fields["owner"]
        users: Any = get_user_model()._default_manager
        owner.queryset = (users.filter(is_active=True) | users.filter(pk=self.instance.owner_id)).order_by(
            "first_name", "last_name", "username"
        )
        owner.label_from_instance = person
        owner.empty_label = _("Nobody yet")

    def clean(self) -> dict[str, Any]:
        """It is not due before it begins."""
        data = super().clean() or self.cleaned_data
        starts, due = data.get("starts_on"), data.get("due_on")
        if starts and due and due < starts:
            self.add_error("due_on", _("This is before it begins. Choose a later day, or leave it empty."))
        return data


class MoveForm(forms.Form):
    """Into which status, and since when."""

    to = forms.ChoiceField(choices=Action.Status.choices)
    on = forms.DateField(label=_("Since"), required=False, widget=Day)
    learned = forms.CharField(
        label=_("What we learnt"), required=False, max_length=1000, widget=forms.Textarea({"rows": 2})
    )


class AnnotationForm(_ComparedForm):
    """What happened, when and where, and how its effect is measured."""

    class Meta:
        model = Annotation
        fields = ("text", "day", "touchpoint", "window", "control_touchpoint", "control_segment")
        widgets = {"day": Day}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        place: Any = self.fields["touchpoint"]
        place.empty_label = _("Everywhere")
        place.help_text = ""


class TargetForm(forms.ModelForm):
    """Where, which score, over how many days, by when. Where is settled when it is set."""

    class Meta:
        model = Target
        fields = ("touchpoint", "goal", "days", "due_on")
        widgets = {"due_on": Day}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        place: Any = self.fields["touchpoint"]
        place.queryset = Touchpoint.objects.select_related("stage")
        place.empty_label = _("All touchpoints together")
        place.help_text = ""
        place.disabled = self.instance.pk is not None
        self.fields["due_on"].label = _("To be reached by")

    def validate_constraints(self) -> None:
        """Whether there is an open one already says the service, which looks at the same moment as it writes."""
