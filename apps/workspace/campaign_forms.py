"""Forms about campaigns: what lists are filtered by, whom a campaign is started for, over which time it is tried."""

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from apps.campaigns.criteria import MAX_WORDS, Criteria
from apps.campaigns.models import Campaign, CampaignVersion, Enrolment, Segment
from apps.campaigns.names import Names, options, title
from apps.triggers.models import Segment as ContactSegment
from apps.workspace.filters import ANY, Filter

ACTIVE, OFF, DRAFT = "active", "off", "draft"
DAYS = [(7, _("7 days")), (30, _("30 days")), (90, _("90 days")), (365, _("12 months"))]


def _choices(pairs: Iterable[tuple[str, Any]]) -> list[tuple[str, str]]:
    return [(value, capfirst(label)) for value, label in pairs if value]


class CampaignFilter(Filter):
    """Campaigns by name, whether they run, and whose answers they follow up."""

    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[ANY, (ACTIVE, _("Active")), (OFF, _("Switched off")), (DRAFT, _("Never published"))],
    )
    segment = forms.ChoiceField(label=_("Segment"), required=False, choices=[ANY, *_choices(Segment.choices)])


class EnrolmentFilter(Filter):
    """Enrolments of a campaign by contact, state, part, the step they wait at, and version."""

    state = forms.ChoiceField(label=_("State"), required=False, choices=[ANY, *_choices(Enrolment.State.choices)])
    arm = forms.ChoiceField(label=_("Part"), required=False, choices=[ANY, *_choices(Enrolment.Arm.choices)])
    step = forms.ChoiceField(label=_("Is at"), required=False)
    version = forms.ChoiceField(label=_("Version"), required=False)
    launch = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any, *, steps: Sequence[tuple[str, str]], versions: Iterable[CampaignVersion]) -> None:
        super().__init__(data)
        self.fields["step"].choices = [ANY, *steps]  # type: ignore[attr-defined]
        self.fields["version"].choices = [ANY, *((str(v.pk), str(v.number)) for v in versions)]  # type: ignore[attr-defined]


class CriteriaForm(forms.Form):
    """Which of the responses there are: like the filters of their list, and what was chosen in a question."""

    template_name = "workspace/_filter.html"
    use_required_attribute = False

    words = forms.CharField(
        label=_("Comment names one of"),
        required=False,
        max_length=400,
        widget=forms.TextInput({"type": "search", "placeholder": _("slow, late, waited")}),
    )
    tags = forms.CharField(label=_("One of the tags"), required=False, max_length=400)
    segment = forms.ChoiceField(label=_("Segment"), required=False, choices=[ANY, *_choices(Segment.choices)])
    touchpoint = forms.ChoiceField(label=_("Touchpoint"), required=False)
    survey = forms.ChoiceField(label=_("Survey"), required=False)
    contacts = forms.ChoiceField(label=_("Contacts"), required=False)
    days = forms.TypedChoiceField(
        label=_("Period"),
        required=False,
        coerce=int,
        choices=[ANY, (30, _("Last 30 days")), (90, _("Last 90 days")), (365, _("Last 12 months"))],
    )
    comment = forms.ChoiceField(
        label=_("Comment"), required=False, choices=[ANY, ("yes", _("With comment")), ("no", _("Without comment"))]
    )
    choice = forms.ChoiceField(label=_("Chosen answer"), required=False)

    def __init__(self, data: Any, *, names: Names, segments: Iterable[ContactSegment]) -> None:
        super().__init__(data)
        known = names.choices
        self._set("touchpoint", known.get("response.touchpoint", {}).items())
        self._set("survey", known.get("response.survey", {}).items())
        self._set("contacts", ((row.key, row.name) for row in segments))
        groups = [
            (title(question), [(f"{key}:{option}", text) for option, text in options(question).items()])
            for key, question in names.questions.items()
            if options(question)
        ]
        self.fields["choice"].choices = [ANY, *groups]  # type: ignore[attr-defined]

    def _set(self, name: str, choices: Iterable[tuple[str, str]]) -> None:
        self.fields[name].choices = [ANY, *choices]  # type: ignore[attr-defined]

    @property
    def is_used(self) -> bool:
        """Whether anything is asked for."""
        return bool(self.criteria().as_json())

    def criteria(self) -> Criteria:
        """What was asked for; what makes no sense asks for nothing."""
        self.is_valid()
        values: dict[str, Any] = {name: self.cleaned_data.get(name) or "" for name in self.fields}
        question, _colon, option = values.pop("choice").partition(":")
        values |= {"words": _listed(values["words"]), "tags": _listed(values["tags"]), "days": values["days"] or 0}
        return Criteria(**values, question=question, choice=option)


def _listed(text: str) -> tuple[str, ...]:
    """What stands between commas."""
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))[:MAX_WORDS]


class TrialForm(forms.Form):
    """Over how many days back, and the draft or a version."""

    days = forms.TypedChoiceField(label=_("Days back"), coerce=int, choices=DAYS, initial=30)
    version = forms.TypedChoiceField(label=_("Steps"), coerce=int, required=False)

    def __init__(self, data: Any = None, *, campaign: Campaign, versions: Iterable[CampaignVersion], **kwargs: Any):
        super().__init__(data, **kwargs)
        self._versions = {version.pk: version for version in versions}
        named = [(pk, _("Version %(number)d") % {"number": row.number}) for pk, row in self._versions.items()]
        self.fields["version"].choices = [("", _("The draft")), *named]  # type: ignore[attr-defined]

    @property
    def chosen(self) -> CampaignVersion | None:
        """The version; None: the draft."""
        return self._versions.get(self.cleaned_data.get("version") or 0)
