"""The OpenAPI description: what every operation may answer besides its own answer."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import force_instance
from rest_framework import serializers

from apps.api import problems, repeats
from apps.api.base import Strict

ALWAYS = (401, 403, 429, 503)
IDEMPOTENCY = {
    "name": repeats.HEADER,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "maxLength": 255, "pattern": "^[\\x20-\\x7E]+$"},
    "description": "The same request with the same key is carried out once; within 24 hours it gets the first answer.",
}
LIMITS = {
    "RateLimit-Limit": "Requests per minute that the key may send.",
    "RateLimit-Remaining": "Requests left in this minute.",
    "RateLimit-Reset": "Seconds until the next minute begins.",
}


class FieldProblemSerializer(serializers.Serializer):
    """What is wrong with one field."""

    field = serializers.CharField(help_text="Path of the field, with dots.")
    message = serializers.CharField(help_text="What is wrong with it.")


class ProblemSerializer(serializers.Serializer):
    """An error (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="What to do about it.", allow_blank=True)
    errors: Any = FieldProblemSerializer(many=True, required=False)


class ApiSchema(AutoSchema):
    """Adds problems, rate limits and Idempotency-Key to every operation."""

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        operation = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        for status in self._problem_statuses(operation):
            operation["responses"].setdefault(str(status), self._problem(status))
        for status, answer in operation["responses"].items():
            if status.startswith("2") or status == "429":
                answer.setdefault("headers", {}).update(
                    {name: {"schema": {"type": "integer"}, "description": text} for name, text in LIMITS.items()}
                )
        operation["responses"]["429"]["headers"]["Retry-After"] = {"schema": {"type": "integer"}}
        if self.method != "GET" and getattr(self.view, "repeatable", False):
            operation.setdefault("parameters", []).append(dict(IDEMPOTENCY))
        return operation

    def _map_serializer(self, serializer: Any, direction: Any, bypass_extensions: bool = False) -> Any:
        """What refuses unknown fields says so."""
        schema = super()._map_serializer(serializer, direction, bypass_extensions)
        if direction == "request" and isinstance(force_instance(serializer), Strict):
            schema["additionalProperties"] = False
        return schema

    def _get_examples(self, serializer: Any, direction: Any, *args: Any, **kwargs: Any) -> Any:
        """An example of many rows is given as the list that it is; it must not be put into another one."""
        told = super()._get_examples(serializer, direction, *args, **kwargs)
        for example in told.values():
            if direction == "request" and isinstance(example.get("value"), list):
                example["value"] = example["value"][0] if isinstance(example["value"][0], list) else example["value"]
        return told

    def _problem_statuses(self, operation: dict[str, Any]) -> list[int]:
        statuses = list(ALWAYS)
        if "{" in self.path or self.method == "GET":
            statuses.append(404)
        if self.method != "GET":
            statuses += [400, 409, 413, 415, 422]
        elif operation.get("parameters"):
            statuses += [400, 422]
        return statuses

    def _problem(self, status: int) -> dict[str, Any]:
        component = self.resolve_serializer(ProblemSerializer, "response")
        return {"description": problems.TITLES[status], "content": {problems.MEDIA_TYPE: {"schema": component.ref}}}


def only_ours(endpoints: list[Any]) -> list[Any]:
    """Keeps the description to the REST API itself."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith("/api/v1/")]
