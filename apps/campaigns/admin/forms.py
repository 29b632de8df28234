"""The form of a campaign: its settings, its condition, and the draft of its steps."""

import hashlib
import json
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import TEXTAREA_CLASSES

from apps.campaigns.admin.vocabulary import vocabulary
from apps.campaigns.admin.words import editor_words, icons
from apps.campaigns.models import Campaign
from apps.campaigns.names import Names
from apps.campaigns.sequence import parse_entry
from apps.common.conditions import ConditionError
from apps.common.jsontext import JSONText
from apps.common.operators import is_storable
from apps.common.windows import BUILDER, BuilderWidget
from apps.triggers.problems import by_place, sentences

MAX_DRAFT = 400_000
"""Characters: 60 steps with long texts in two languages are half of that."""


class EntryWidget(BuilderWidget):
    """Who enters, as rows."""

    kind = "conditions"

    def vocabulary(self) -> dict[str, Any]:
        return vocabulary(Names.load(), is_entry=True)


class SequenceWidget(forms.Textarea):
    """Steps as JSON in a text area, which a script replaces by a picture."""

    template_name = "campaigns/sequence.html"

    def __init__(self) -> None:
        super().__init__({"rows": 16, "class": " ".join(TEXTAREA_CLASSES), "spellcheck": "false"})

    @property
    def media(self) -> forms.Media:
        own = [forms.Script(f"campaigns/{name}.js", defer=True) for name in SCRIPTS]
        return BUILDER + forms.Media(css={"all": ["campaigns/flow.css", "campaigns/editor.css"]}, js=own)  # type: ignore[arg-type]

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        more = {"words": editor_words(Names.load()), "icons": icons()}
        return {**context, "widget": {**context["widget"], **more}}


SCRIPTS = ("tree", "flow", "inputs", "steps", "mail", "editor")


class DraftField(JSONText):
    """JSON that the database can store, however wrong it is as a sequence."""

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and len(value) > MAX_DRAFT:
            raise ValidationError(_("This is too long; at most %(limit)s characters.") % {"limit": MAX_DRAFT})
        found = super().to_python(value)
        try:
            text = json.dumps(found, ensure_ascii=False, allow_nan=False)
        except (ValueError, RecursionError) as error:
            raise ValidationError(_("There are numbers in it that cannot be stored."), code="invalid") from error
        if not is_storable(text) or "\\u0000" in text:
            raise ValidationError(_("There are characters in it that cannot be stored."), code="invalid")
        if not isinstance(found, dict) or not isinstance(found.get("steps", []), list):
            raise ValidationError(_("This is no sequence: write an object with a list of “steps”."), code="invalid")
        return found

    def bound_data(self, data: Any, initial: Any) -> Any:
        """What was refused is shown as it was typed."""
        found = super().bound_data(data, initial)
        try:
            self.to_python(data)
        except ValidationError:
            return InvalidJSONInput(data)
        return found


class CampaignForm(forms.ModelForm):
    """Settings act when they are saved; the draft does when it is published, and until then it may be wrong."""

    # What the steps were when the page was opened: who saves on top of somebody else is asked.
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Campaign
        fields = (
            "name", "is_active", "entry", "segment", "survey", "touchpoint", "contact_segment", "condition", "priority",
            "stop_on_response", "pause_while_case", "goal", "goal_touchpoint", "goal_days", "holdout_percent", "draft",
        )  # fmt: skip
        help_texts = {
            "draft": gettext_lazy("Running contacts keep their version; what is published is for those who come."),
            "is_active": gettext_lazy("Switched off, it takes nobody, and whoever is in it stops at the next step."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stored = self.instance.draft if self.instance.pk else None
        self.initial["seen"] = _digest(self.stored)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        seen, now = cleaned.get("seen"), _digest(self.stored)
        if self.instance.pk and seen and seen != now and cleaned.get("draft") != self.stored:
            posted = cast("QueryDict", self.data).copy()
            posted[self.add_prefix("seen")] = now
            self.data = posted
            raise ValidationError(
                _("Somebody else saved other steps meanwhile. Nothing was saved; yours are still below. Saving once "
                  "more replaces theirs."), code="meanwhile"
            )  # fmt: skip
        return cleaned

    def clean_condition(self) -> Any:
        """Who enters: a condition that cannot be read would let in nobody."""
        tree = self.cleaned_data["condition"]
        try:
            parse_entry(tree)
        except ConditionError as error:
            widget = self.fields["condition"].widget
            widget.places = by_place(error)
            raise ValidationError(sentences(error)) from error
        return tree


def _digest(draft: Any) -> str:
    """Tells drafts apart."""
    text = json.dumps(draft, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
