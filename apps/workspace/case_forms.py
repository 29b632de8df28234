"""What is typed about cases: what changes, how they end, notes, mails, merging, and saved lists."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.auth.models import AbstractUser
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from apps.cases.changing import CLOSED, Changes
from apps.cases.models import Case, CaseView
from apps.cases.writing import MAX_SUBJECT, MAX_TEXT
from apps.common.schedule import EARLIEST, LATEST
from apps.workspace.case_filter import ME, NOBODY, Choices, name_of

NONE = ("", "–")
MAX_AT_ONCE = 200
"""So many cases are changed at once from the list; it shows 25."""
_OPEN = [(value, capfirst(label)) for value, label in Case.Status.choices if value not in CLOSED]
_ENDS = [(value, capfirst(label)) for value, label in Case.Status.choices if value in CLOSED]


class Moment(forms.DateTimeInput):
    """A day and an hour, by the browser's own picker."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


class DueField(forms.DateTimeField):
    """A time that can be reckoned with by every clock."""

    default_validators = [MinValueValidator(EARLIEST), MaxValueValidator(LATEST)]


def owners(choices: Choices, keep: AbstractUser | None = None) -> list[tuple[Any, Any]]:
    """Who can be given a case, and whoever has it."""
    people = choices.people
    if keep is not None and all(user.pk != keep.pk for user in people):
        people.append(keep)
    return [("", _("Nobody")), *((user.pk, name_of(user)) for user in people)]


def entries(rows: Any, keep: int | None = None) -> list[tuple[Any, Any]]:
    """What the tenant's list offers, and what was chosen before."""
    return [NONE, *((row.pk, str(row)) for row in rows if row.is_active or row.pk == keep)]


class _Revised(forms.Form):
    """Knows which state of the case it was shown for."""

    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0)


class CaseForm(_Revised):
    """Who does it, by when, and how far it is."""

    # With what was shown along: what somebody did not touch is not changed back to it.
    status = forms.ChoiceField(label=_("Status"), choices=_OPEN, show_hidden_initial=True)
    owner = forms.TypedChoiceField(
        label=_("Owner"), required=False, coerce=int, empty_value=None, show_hidden_initial=True
    )
    due_at = DueField(label=_("To be closed by"), widget=Moment, show_hidden_initial=True)
    is_urgent = forms.BooleanField(label=_("Urgent"), required=False, show_hidden_initial=True)

    def __init__(self, data: Any = None, *, case: Case, choices: Choices) -> None:
        super().__init__(data, initial=self.state_of(case))
        self.fields["owner"].choices = owners(choices, case.owner)  # type: ignore[attr-defined]

    @staticmethod
    def state_of(case: Case) -> dict[str, Any]:
        """What the case says now."""
        # The picker knows no seconds; a time that nobody touches keeps them.
        due = timezone.localtime(case.due_at).replace(second=0, microsecond=0)
        return {
            "status": case.status,
            "owner": case.owner_id if case.owner_id is not None else "",
            "due_at": due,
            "is_urgent": case.is_urgent,
            "revision": case.revision,
        }

    def changes(self) -> Changes:
        """Only what was changed on the form."""
        names = {"owner": "owner_id"}
        touched = [name for name in self.changed_data if name != "revision"]
        return Changes(**{names.get(name, name): self.cleaned_data[name] for name in touched})


class CloseForm(_Revised):
    """How a case ends: needs a sentence or one of the outcomes."""

    status = forms.ChoiceField(label=_("How did it end?"), choices=_ENDS, widget=forms.RadioSelect)
    result = forms.TypedChoiceField(label=_("Outcome"), required=False, coerce=int, empty_value=None)
    root_cause = forms.TypedChoiceField(label=_("Root cause"), required=False, coerce=int, empty_value=None)
    outcome = forms.CharField(
        label=_("In a sentence"), required=False, max_length=2000, widget=forms.Textarea({"rows": 3})
    )

    def __init__(self, data: Any = None, *, choices: Choices, case: Case | None = None, status: str = "") -> None:
        initial: dict[str, Any] = {"status": status or Case.Status.SOLVED}
        if case is not None:
            initial |= {
                "revision": case.revision,
                "result": case.result_id,
                "root_cause": case.root_cause_id,
                "outcome": case.outcome,
            }
            if case.status in CLOSED:
                initial["status"] = case.status
        super().__init__(data, initial=initial, auto_id="close_%s")
        result, cause = (case.result_id, case.root_cause_id) if case else (None, None)
        self.fields["result"].choices = entries(choices.results, result)  # type: ignore[attr-defined]
        self.fields["root_cause"].choices = entries(choices.causes, cause)  # type: ignore[attr-defined]
        for name in ("result", "root_cause"):
            # A tenant without such a list is not asked for it.
            if len(self.fields[name].choices) == 1:  # type: ignore[attr-defined]
                del self.fields[name]

    def changes(self) -> Changes:
        """Everything that the form says."""
        names = {"result": "result_id", "root_cause": "root_cause_id"}
        told = {names.get(name, name): value for name, value in self.cleaned_data.items() if name != "revision"}
        return Changes(**told)


class MoveForm(CloseForm):
    """A card goes to another column of the board."""

    status = forms.ChoiceField(choices=Case.Status)


class BulkForm(forms.Form):
    """One thing done to several cases."""

    ASSIGN, STATUS, DUE, URGENT, CLOSE, MERGE = "assign", "status", "due", "urgent", "close", "merge"
    action = forms.ChoiceField(
        label=_("What to do with them"),
        choices=[
            (ASSIGN, _("Assign")),
            (STATUS, _("Status")),
            (DUE, _("Due")),
            (URGENT, _("Urgency")),
            (CLOSE, _("Close")),
            (MERGE, _("Merge")),
        ],
        widget=forms.RadioSelect,
        initial=ASSIGN,
    )
    owner = forms.ChoiceField(label=_("To"), required=False)
    to_status = forms.ChoiceField(label=_("New status"), choices=_OPEN, required=False, initial="contacted")
    due_at = DueField(label=_("To be closed by"), widget=Moment, required=False)
    is_urgent = forms.TypedChoiceField(
        label=_("They are"),
        choices=[("yes", _("Urgent")), ("no", _("Not urgent"))],
        coerce=lambda value: value == "yes",
        required=False,
    )
    end = forms.ChoiceField(label=_("How did it end?"), choices=_ENDS, required=False)
    result = forms.TypedChoiceField(label=_("Outcome"), required=False, coerce=int, empty_value=None)
    root_cause = forms.TypedChoiceField(label=_("Root cause"), required=False, coerce=int, empty_value=None)
    outcome = forms.CharField(label=_("In a sentence"), required=False, max_length=2000)

    def __init__(self, data: Any = None, *, choices: Choices) -> None:
        tomorrow = timezone.localtime() + timedelta(days=1)
        initial = {"due_at": tomorrow.replace(hour=17, minute=0, second=0, microsecond=0)}
        super().__init__(data, initial=initial, auto_id="bulk_%s")
        people = owners(choices)
        self.fields["owner"].choices = [(ME, _("Me")), (NOBODY, _("Nobody")), *people[1:]]  # type: ignore[attr-defined]
        self.fields["result"].choices = entries(choices.results)  # type: ignore[attr-defined]
        self.fields["root_cause"].choices = entries(choices.causes)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        name = {self.ASSIGN: "owner", self.STATUS: "to_status", self.URGENT: "is_urgent"}.get(data.get("action", ""))
        if name and name not in self.errors and data.get(name) == "":
            self.add_error(name, _("Choose one of these."))
        if data.get("action") == self.DUE and not data.get("due_at") and "due_at" not in self.errors:
            self.add_error("due_at", _("Say by when they have to be closed."))
        if data.get("action") == self.CLOSE and not (data.get("outcome", "").strip() or data.get("result")):
            self.add_error("outcome", _("Say how they ended before you close them: choose an outcome or write it."))
        return data

    def changes(self, user: AbstractUser) -> Changes:
        """What is to be changed, for all but merging."""
        data = self.cleaned_data
        if data["action"] == self.ASSIGN:
            own = {ME: user.pk, NOBODY: None}
            return Changes(owner_id=own[data["owner"]] if data["owner"] in own else int(data["owner"]))
        if data["action"] == self.STATUS:
            return Changes(status=data["to_status"])
        if data["action"] == self.DUE:
            return Changes(due_at=data["due_at"])
        if data["action"] == self.URGENT:
            return Changes(is_urgent=data["is_urgent"])
        told = {"status": data["end"] or Case.Status.SOLVED, "outcome": data["outcome"], "result_id": data["result"]}
        # Root causes that are known stay where none is chosen for all.
        return Changes(**told, **({"root_cause_id": data["root_cause"]} if data["root_cause"] else {}))


class NoteForm(forms.Form):
    """For colleagues only."""

    text = forms.CharField(
        label=_("Note"),
        max_length=10_000,
        widget=forms.Textarea({"rows": 3}),
        help_text=_("Only colleagues see it. Write @ and a name to tell somebody."),
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, auto_id="note_%s")


class MailForm(forms.Form):
    """A mail to the contact."""

    subject = forms.CharField(label=_("Subject"), max_length=MAX_SUBJECT)
    body = forms.CharField(label=_("Text"), max_length=MAX_TEXT, widget=forms.Textarea({"rows": 7}))

    def __init__(self, data: Any = None, *, subject: str = "") -> None:
        super().__init__(data, initial={"subject": subject}, auto_id="mail_%s")


class ViewForm(forms.ModelForm):
    """The name of a saved list, and whether all see it."""

    class Meta:
        model = CaseView
        fields = ("name", "is_shared")

    def __init__(self, data: Any = None, *, instance: CaseView | None = None) -> None:
        super().__init__(data, auto_id="view_%s", instance=instance)
