"""Fields that several resources share: keys of other rows, properties, texts in languages, spans of time."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

import msgspec
from django.core.exceptions import ValidationError as ModelError
from django.db import transaction
from django.db.models import Model, QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.api.base import Strict
from apps.common.conditions import ConditionError
from apps.common.fields import MAX_TEXT, validate_texts
from apps.common.schedule import ScheduleError
from apps.touchpoints.intake import contents_problem
from apps.triggers.problems import by_place

MAX_PROPERTIES_BYTES = 32 * 1024
MAX_KEYS = 200
MAX_SECONDS = 730 * 86400
_KEY = re.compile(r"[-a-zA-Z0-9_]{1,60}")
_KEY_SCHEMA = {"type": "string", "pattern": "^[-a-zA-Z0-9_]+$", "minLength": 1, "maxLength": 60}
_OBJECT = {"type": "object", "additionalProperties": True}
_TEXTS = {
    "type": "object",
    "properties": {code: {"type": "string", "maxLength": MAX_TEXT} for code in ("en", "de")},
    "additionalProperties": False,
    "minProperties": 1,
}


@extend_schema_field(_OBJECT)
class PropertiesField(serializers.JSONField):
    """A JSON object of a size that can be stored and read again."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            raise serializers.ValidationError("must be an object.")
        if problem := contents_problem(data):
            raise serializers.ValidationError(problem)
        try:
            size = len(msgspec.json.encode(data))
        except (RecursionError, OverflowError):
            size = MAX_PROPERTIES_BYTES + 1
        if size > MAX_PROPERTIES_BYTES:
            raise serializers.ValidationError(f"must have at most {MAX_PROPERTIES_BYTES // 1024} KB.")
        return data


@extend_schema_field(_TEXTS)
class TextsField(serializers.JSONField):
    """A text per language, one at least."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            validate_texts(data)
        except ModelError as error:
            raise serializers.ValidationError(error.messages) from None
        if not any(data.values()):
            raise serializers.ValidationError("needs a text in one language at least.")
        return data


@extend_schema_field({name: value for name, value in _TEXTS.items() if name != "minProperties"})
class OptionalTextsField(serializers.JSONField):
    """A text per language, or none at all."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            validate_texts(data)
        except ModelError as error:
            raise serializers.ValidationError(error.messages) from None
        return data


@extend_schema_field({name: value for name, value in _TEXTS.items() if name != "minProperties"})
class WrittenTextsField(serializers.JSONField):
    """A text per language, to be read only; none where nothing was written."""


@extend_schema_field(_OBJECT)
class ConditionField(serializers.JSONField):
    """A condition as the rule editor writes it; what is wrong is told at its place. Empty: always true.

    The serializer says how it is parsed: ``parse_condition(tree)``.
    """

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            raise serializers.ValidationError("must be an object.")
        try:
            return cast("Any", self.parent).parse_condition(data)
        except ConditionError as error:
            raise serializers.ValidationError(_placed(error)) from None


def _placed(error: ConditionError | ScheduleError) -> Any:
    """Path within the field → sentence; one without a path is about the whole."""
    return {place or "non_field_errors": [text] for place, text in by_place(error).items()}


@extend_schema_field({
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "days": {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 6}},
            "from": {"type": "string", "examples": ["09:00"]},
            "to": {"type": "string", "examples": ["18:00"]},
        },
        "required": ["days", "from", "to"],
        "additionalProperties": False,
    },
})  # fmt: skip
class WindowsField(serializers.JSONField):
    """Send windows; ``parse`` raises ScheduleError for what is none."""

    def __init__(self, *, parse: Any, **kwargs: Any) -> None:
        self.parse = parse
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Any:
        try:
            self.parse(data)
        except ScheduleError as error:
            raise serializers.ValidationError(_placed(error)) from None
        return data


@extend_schema_field({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"})
class ClockField(serializers.TimeField):
    """An hour and a minute by the tenant's clock: JSON Schema's “time” would need a zone."""


class SecondsField(serializers.IntegerField):
    """A span of time in seconds."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": 0, "max_value": MAX_SECONDS, **kwargs})

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Bounds first: not every number is a span of time."""
        seconds = super().run_validation(data)
        return timedelta(seconds=seconds) if isinstance(seconds, int) else seconds

    def to_representation(self, value: Any) -> int:
        return int(value.total_seconds())


@extend_schema_field(_KEY_SCHEMA)
class KeyField(serializers.Field):
    """Another row by its key."""

    def __init__(self, *, rows: QuerySet[Any] | None = None, **kwargs: Any) -> None:
        self.rows = rows
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Model:
        found = None
        if self.rows is not None and isinstance(data, str) and _KEY.fullmatch(data):
            found = self.rows.all().filter(key=data).first()
        if found is None:
            raise serializers.ValidationError("There is nothing with this key.")
        row: Model = found
        return row

    def to_representation(self, value: Any) -> str:
        return str(value.key)


@extend_schema_field({"type": "array", "items": _KEY_SCHEMA, "maxItems": MAX_KEYS, "uniqueItems": True})
class KeysField(serializers.Field):
    """Other rows by their keys, all in one query."""

    def __init__(self, *, rows: QuerySet[Any], at_least: int = 0, **kwargs: Any) -> None:
        self.rows, self.at_least = rows, at_least
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> list[Model]:
        if not isinstance(data, list) or len(data) > MAX_KEYS:
            raise serializers.ValidationError(f"must be a list of at most {MAX_KEYS} keys.")
        if len(data) < self.at_least:
            raise serializers.ValidationError(f"must name {self.at_least} at least.")
        keys = {key for key in data if isinstance(key, str) and _KEY.fullmatch(key)}
        found = {row.key: row for row in self.rows.all().filter(key__in=keys)}
        missing = {
            str(place): ["There is nothing with this key."]
            for place, key in enumerate(data)
            if not isinstance(key, str) or key not in found
        }
        if missing:
            raise serializers.ValidationError(missing)
        return list(found.values())

    def to_representation(self, value: Any) -> list[str]:
        return sorted(row.key for row in value.all())


class Cleaned(Strict, serializers.ModelSerializer[Any]):
    """Plain configuration: saved through the model's own validation, what is wrong told by the fields' names here."""

    fixed: tuple[str, ...] = ()
    """Fields that are given once and never changed."""

    def validate(self, attrs: Any) -> Any:
        if self.instance is not None:
            wrong = {name: ["cannot be changed."] for name in self.fixed if self._differs(name, attrs)}
            if wrong:
                raise serializers.ValidationError(wrong)
        return attrs

    def _differs(self, name: str, attrs: Mapping[str, Any]) -> bool:
        return name in attrs and attrs[name] != getattr(self.instance, name)

    def create(self, validated_data: dict[str, Any]) -> Any:
        return self._save(cast("Any", self).Meta.model(), validated_data)

    def update(self, instance: Any, validated_data: dict[str, Any]) -> Any:
        return self._save(instance, validated_data)

    @transaction.atomic
    def _save(self, row: Any, values: Mapping[str, Any]) -> Any:
        many = self.apply(row, values)
        is_new = row._state.adding
        row.save(update_fields=None if is_new else [name for name in values if name not in many] or None)
        for name, rows in many.items():
            getattr(row, name).set(rows)
        return row

    def apply(self, row: Any, values: Mapping[str, Any]) -> dict[str, list[Any]]:
        """Put the values into the row and check it, without saving; returns what belongs into its many-to-many."""
        names = {field.name for field in row._meta.many_to_many}
        for name, value in values.items():
            if name not in names:
                setattr(row, name, value)
        try:
            row.full_clean()
        except ModelError as error:
            raise serializers.ValidationError(self._told(error)) from None
        return {name: value for name, value in values.items() if name in names}

    def _told(self, error: ModelError) -> dict[str, Any]:
        names = {field.source: name for name, field in self.fields.items()}
        return {names.get(name, name): texts for name, texts in error.message_dict.items()}
