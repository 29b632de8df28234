"""A survey's questions and thanks as rows of its form. What does not go together is told at the question."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import ProtectedError, QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from unfold.admin import PaginationInlineFormSet
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from apps.common.admin import BaseStacked
from apps.common.texts import FALLBACK, localized
from apps.surveys import branching, versions
from apps.surveys.admin.fields import BlankJSON, ConditionWidget, OptionsField, key_from
from apps.surveys.admin.wording import FIELDS, sentence
from apps.surveys.definition import CHOICES, CSAT, LEADS, MAX_QUESTIONS, RATING, SCALE
from apps.surveys.models import Question, Survey, ThankYou

_UNCHECKED = frozenset({"key", "kind", "options", "low", "high"})
"""Where one of these is wrong, nothing can be said about how the questions go together."""


class QuestionForm(forms.ModelForm):
    """One question. What its kind does not need is put back to the usual."""

    key = forms.SlugField(
        max_length=60,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("What conditions and exports call it. Empty: made from the text."),
    )
    options = OptionsField(required=False)
    show_if = BlankJSON(required=False, widget=ConditionWidget())
    low = forms.IntegerField(min_value=0, max_value=1, required=False, widget=UnfoldAdminIntegerFieldWidget)
    high = forms.IntegerField(min_value=2, max_value=10, required=False, widget=UnfoldAdminIntegerFieldWidget)
    position = forms.IntegerField(
        min_value=0, max_value=9999, required=False,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=gettext_lazy("Questions are asked in this order. Empty: at the end."),
    )  # fmt: skip

    class Meta:
        model = Question
        fields = (
            "kind", "text", "key", "position", "is_required", "style", "options", "low", "high", "low_label",
            "high_label", "show_if", "text_promoter", "text_passive", "text_detractor",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.retired: frozenset[str] = frozenset()
        self.taken: set[str] = set()
        self.fields["style"].required = False
        for name in self.declared_fields:
            self.fields[name].label = capfirst(str(Question._meta.get_field(name).verbose_name))  # type: ignore[union-attr]
        if self.instance._state.adding:
            self.initial["position"] = None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        kind = cleaned.get("kind")
        usual = {name: getattr(Question(), name) for name in ("style", "options", "low", "high")}
        needed = {"style": (CSAT, RATING), "options": CHOICES, "low": (SCALE,), "high": (SCALE,)}
        for name, default in usual.items():
            if kind is not None and kind not in needed[name]:
                self.errors.pop(name, None)
                cleaned[name] = default
            elif cleaned.get(name) in (None, "") and name not in self.errors:
                cleaned[name] = default
        if "key" in cleaned and kind is not None:
            cleaned["key"] = self._key(cleaned["key"], kind, cleaned.get("text") or {})
        return cleaned

    def _key(self, key: str, kind: str, text: dict[str, str]) -> str:
        if not key and not self.instance._state.adding:
            return str(self.initial["key"])
        if not key:
            words = "" if kind in LEADS else localized(text, FALLBACK)
            key = key_from(words, self.taken | self.retired, str(kind).replace("_", "-"))
            self.taken.add(key)
        if key in self.retired:
            text_ = _("“%(key)s” was the key of a question that was taken out, and its answers are kept. Take another.")
            self.add_error("key", text_ % {"key": key})
        return key


class QuestionFormSet(PaginationInlineFormSet):
    """All questions together; single rows cannot know of unsaved neighbours."""

    hints: list[str] = []
    """What is worth saying once the survey is saved."""

    def full_clean(self) -> None:
        self.hints = []
        if self.is_bound:
            self._tell_forms_what_is_taken()
        super().full_clean()

    def _tell_forms_what_is_taken(self) -> None:
        rows = Question.objects.filter(survey=self.instance.pk, is_retired=True) if self.instance.pk else None
        retired = frozenset(rows.values_list("key", flat=True)) if rows is not None else frozenset()
        taken = {str(self.data.get(form.add_prefix("key")) or form.initial.get("key") or "") for form in self.forms}
        for form in self.forms:
            form.retired, form.taken = retired, taken

    def rows(self) -> list[QuestionForm]:
        """The questions that are to stay, in order. Asks every form what is wrong with it."""
        kept = [form for form in self.forms if not self._should_delete_form(form) and _is_used(form)]
        last = len(kept) + 9999
        order = {id(form): form.cleaned_data.get("position") for form in kept}
        return sorted(kept, key=lambda form: last if order[id(form)] is None else order[id(form)])

    def clean(self) -> None:
        """Whatever is wrong goes to the question it is about."""
        rows = self.rows()
        for position, form in enumerate(rows):
            form.instance.position = position
        if any(_UNCHECKED & set(form.errors) for form in rows):
            return
        questions = [form.instance for form in rows]
        document = versions.document_of(self.instance, questions, ())
        codes = [code for code, _name in settings.LANGUAGES]
        names = {q.key: localized(q.text, get_language() or FALLBACK) or q.key for q in questions}
        for problem in branching.problems(document, codes):
            self._tell(problem, rows, sentence(problem, names))

    def _tell(self, problem: branching.Problem, rows: list[QuestionForm], text: str) -> None:
        name = FIELDS.get(problem.code, "show_if")
        if problem.place is None or not name:
            raise ValidationError(text)
        form = rows[problem.place]
        if problem.code in branching.HINTS:
            title = localized(form.instance.text, get_language() or FALLBACK) or form.instance.key
            self.hints.append(f"{title}: {text}")
            return
        widget = form.fields[name].widget
        places = getattr(widget, "places", {})
        told = f"{places[problem.path]} {text}" if problem.path in places else text
        widget.places = {**places, problem.path: told}
        if text not in form.errors.get(name, ()):
            form.add_error(name, text)

    def save(self, commit: bool = True) -> Any:
        """Also where only the neighbours moved, a question's position is kept."""
        saved = super().save(commit)
        if commit:
            rows = [form for form in self.rows() if form.instance.pk]
            moved = [form.instance for form in rows if form.initial.get("position") != form.instance.position]
            Question.objects.bulk_update(moved, ["position"])
        return saved

    def save_existing_objects(self, commit: bool = True) -> Any:
        """What is taken out goes first, so that its place is free for others."""
        if commit:
            for form in self.initial_forms:
                if self._should_delete_form(form) and form.instance.pk:
                    _take_out(form.instance)
        return super().save_existing_objects(commit)

    def delete_existing(self, obj: Any, commit: bool = True) -> None:
        """It is gone already, or kept for its answers: see save_existing_objects."""


def _is_used(form: Any) -> bool:
    return bool(form.is_valid() or form.errors) and (not form.empty_permitted or form.has_changed())


def _take_out(question: Question) -> None:
    """Delete a question; one that was answered is only not asked any more."""
    pk = question.pk
    try:
        with transaction.atomic():
            question.delete()
    except ProtectedError:
        Question.objects.filter(pk=pk).update(is_retired=True)
    finally:
        question.pk = pk  # The formset still has to tell which one it was.


class QuestionInline(BaseStacked):
    """The questions, as rows that a script makes easy."""

    model = Question
    form = QuestionForm
    formset = QuestionFormSet
    max_num = MAX_QUESTIONS
    fieldsets = (
        (None, {
            "fields": (
                "kind", "text", "key", "position", "is_required", "style", "options", "low", "high", "low_label",
                "high_label", "show_if",
            ),
        }),
        (gettext_lazy("Wording by segment"), {
            "classes": ("collapse",),
            "description": gettext_lazy("Empty: the text above."),
            "fields": ("text_promoter", "text_passive", "text_detractor"),
        }),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Question]:
        return super().get_queryset(request).filter(is_retired=False)

    def get_formset(self, request: HttpRequest, obj: Survey | None = None, **kwargs: Any) -> Any:
        """Django refuses to delete what something else points at; here it is taken out instead."""
        formset = super().get_formset(request, obj, **kwargs)
        formset.form.hand_clean_DELETE = lambda form: None
        return formset


class ThankYouInline(BaseStacked):
    """What is said at the end."""

    model = ThankYou
    max_num = len(ThankYou.Segment.values)
    fields = ("segment", "heading", "text", "button_label", "button_url", "offers_call_back")


def kept_instances(formset: Any) -> Iterable[Any]:
    """What a formset that was asked for its errors would leave, saved or not."""
    for form in formset.forms:
        if not formset._should_delete_form(form) and _is_used(form):
            yield form.instance
