"""Cases and their notes as JSON."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.validators import MaxValueValidator, MinValueValidator
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.api.base import Expandable, Strict
from apps.api.fields import WrittenTextsField
from apps.api.filters import BIGGEST_ID
from apps.api.resources.contact_data import ContactSerializer
from apps.api.resources.responses import ResponseSerializer
from apps.cases.models import Case, CaseNote
from apps.cases.services import Changes
from apps.common.schedule import EARLIEST, LATEST
from apps.common.segments import segment_of

MAX_OUTCOME = 2000
MAX_NOTE = 10_000
_BOTH = "Give `owner` or `owner_id`, not both."
_NOBODY = "Nobody of this name works here."


class CaseResponseSerializer(ResponseSerializer):
    """The response that opened a case."""

    expandable = ()  # type: ignore[assignment]

    class Meta(ResponseSerializer.Meta):
        fields = tuple(  # type: ignore[assignment]
            name for name in ResponseSerializer.Meta.fields if name not in ("contact", "survey_details")
        )


class CaseSerializer(Expandable, serializers.ModelSerializer[Case]):
    """Somebody takes care of one contact's answer."""

    expandable = ("contact", "response")
    response = CaseResponseSerializer(required=False, help_text="With `expand=response`.")
    contact = ContactSerializer(allow_null=True, required=False, help_text="With `expand=contact`.")
    survey = serializers.CharField(source="response.survey.key")
    touchpoint = serializers.CharField(source="response.touchpoint.key", default=None, allow_null=True)
    score = serializers.IntegerField(source="response.score", allow_null=True)
    segment = serializers.SerializerMethodField(help_text="By the score.")
    rule = serializers.CharField(source="rule.name", default=None, allow_null=True, help_text="What opened it.")
    owner = serializers.CharField(source="owner.username", default=None, allow_null=True, help_text="A user name.")
    owner_id = serializers.IntegerField(allow_null=True)
    result = WrittenTextsField(source="result.name", default=None, allow_null=True, help_text="From your list.")
    result_id = serializers.IntegerField(allow_null=True)
    root_cause = WrittenTextsField(source="root_cause.name", default=None, allow_null=True, help_text="From your list.")
    root_cause_id = serializers.IntegerField(allow_null=True)
    outcome = serializers.CharField(help_text="How it ended, in a sentence.")
    merged_into_id = serializers.UUIDField(allow_null=True, help_text="The case that this one went into.")

    class Meta:
        model = Case
        fields = (
            "id", "response_id", "response", "contact_id", "contact", "survey", "touchpoint", "score", "segment",
            "rule", "status", "is_urgent", "owner", "owner_id", "outcome", "result", "result_id", "root_cause",
            "root_cause_id", "opened_at", "contact_due_at", "due_at", "first_contact_at", "closed_at", "updated_at",
            "merged_into_id", "revision",
        )  # fmt: skip

    @extend_schema_field({"type": ["string", "null"], "enum": ["promoter", "passive", "detractor", None]})
    def get_segment(self, row: Case) -> str | None:
        return None if row.response.score is None else segment_of(row.response.score)


class CaseOpenSerializer(Strict):
    """For which response."""

    response_id = serializers.UUIDField()


class CaseChangeSerializer(Strict):
    """What is to be different about a case; what is left out stays as it is."""

    status = serializers.ChoiceField(Case.Status.choices, required=False)
    owner = serializers.CharField(
        max_length=150, required=False, allow_null=True, help_text="A user name; null: nobody."
    )
    owner_id = serializers.IntegerField(min_value=1, max_value=BIGGEST_ID, required=False, allow_null=True)
    is_urgent = serializers.BooleanField(required=False)
    due_at = serializers.DateTimeField(
        required=False, validators=[MinValueValidator(EARLIEST), MaxValueValidator(LATEST)]
    )
    outcome = serializers.CharField(
        max_length=MAX_OUTCOME, required=False, allow_blank=True, help_text="Closing needs it, or `result_id`."
    )
    result_id = serializers.IntegerField(min_value=1, max_value=BIGGEST_ID, required=False, allow_null=True)
    root_cause_id = serializers.IntegerField(min_value=1, max_value=BIGGEST_ID, required=False, allow_null=True)
    revision = serializers.IntegerField(
        min_value=0,
        max_value=BIGGEST_ID,
        required=False,
        help_text="The one you read: if the case was changed since, nothing is done (409).",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "owner" in attrs and "owner_id" in attrs:
            raise serializers.ValidationError({"owner": _BOTH})
        if "owner" in attrs:
            name = attrs.pop("owner")
            attrs["owner_id"] = None if name is None else _user_id(name)
        return attrs

    def changes(self) -> Changes:
        """What was validated, but for the revision."""
        return Changes(**{name: value for name, value in self.validated_data.items() if name != "revision"})


def _user_id(name: str) -> int:
    users: Any = get_user_model()._default_manager
    found = users.filter(username=name, is_active=True).values_list("pk", flat=True).first()
    if found is None:
        raise serializers.ValidationError({"owner": _NOBODY})
    return int(found)


class CaseNoteSerializer(serializers.ModelSerializer[CaseNote]):
    """What colleagues write for each other."""

    author = serializers.CharField(
        source="author.username", default=None, allow_null=True, help_text="Null: it came by the API."
    )
    mentions = serializers.SerializerMethodField(help_text="User names.")

    class Meta:
        model = CaseNote
        fields = ("id", "text", "author", "mentions", "created_at")

    @extend_schema_field({"type": "array", "items": {"type": "string"}})
    def get_mentions(self, row: CaseNote) -> list[str]:
        return sorted(user.username for user in row.mentions.all())


class CaseNoteInSerializer(Strict):
    """A note; `@name` tells whom it names."""

    text = serializers.CharField(max_length=MAX_NOTE)
