"""What is told of imports, and what may be said to them."""

from typing import Any

from rest_framework import serializers

from apps.api.base import Strict
from apps.transfers.models import Import

MAX_TARGET = 80


class ImportSerializer(serializers.ModelSerializer[Import]):
    """A file on its way. After a check the counts say what would happen."""

    percent = serializers.IntegerField(read_only=True, help_text="How far the worker is.")
    headers = serializers.ListField(child=serializers.CharField(), help_text="The names of the columns.")
    mapping = serializers.ListField(
        child=serializers.CharField(),
        help_text="What each column means, in order: a target such as email, property:<key>, or nothing: left out.",
    )
    options = serializers.DictField()
    undo_result = serializers.DictField(
        allow_null=True, help_text="What was deleted, put back, and kept for which reason."
    )
    kept_until = serializers.DateTimeField(
        source="forget_at",
        allow_null=True,
        help_text="Then the file, its wrong rows and what undoing needs are deleted.",
    )

    class Meta:
        model = Import
        fields = (
            "id", "kind", "status", "file_name", "file_size", "headers", "mapping", "options", "preset", "percent",
            "rows_total", "rows_done", "created", "updated", "unchanged", "skipped", "bad", "undo_result", "error",
            "created_at", "started_at", "finished_at", "kept_until",
        )  # fmt: skip


class BasisSerializer(Strict):
    """Why all people of the file may be written to."""

    kind = serializers.ChoiceField(["", "consent", "existing_customer"], required=False)
    source: Any = serializers.CharField(max_length=120, required=False, allow_blank=True)
    text_version = serializers.CharField(max_length=60, required=False, allow_blank=True)
    wording = serializers.CharField(max_length=10_000, required=False, allow_blank=True)
    granted_at = serializers.CharField(
        max_length=40, required=False, allow_blank=True, help_text="Default: the upload."
    )


class OptionsSerializer(Strict):
    """How the file is to be read."""

    legal_basis = BasisSerializer(required=False)
    country = serializers.CharField(
        max_length=2, required=False, allow_blank=True, help_text="Of telephone numbers that do not say theirs."
    )
    existing = serializers.ChoiceField(["update", "skip"], required=False, help_text="What known contacts get.")
    day_first = serializers.BooleanField(required=False, help_text="What 03/04/2026 means.")
    survey = serializers.CharField(max_length=60, required=False, help_text="The key of the responses' survey.")
    tags = serializers.ListField(child=serializers.CharField(max_length=60), max_length=20, required=False)
    reason = serializers.CharField(max_length=20, required=False, help_text="Why addresses are blocked.")


class ChoiceSerializer(Strict):
    """What is to be different."""

    mapping = serializers.ListField(
        child=serializers.CharField(max_length=MAX_TARGET, allow_blank=True), max_length=500, required=False
    )
    options = OptionsSerializer(required=False)


class RowProblemSerializer(serializers.Serializer[Any]):
    """What is wrong with a row."""

    column = serializers.CharField(help_text="Empty: the whole row.")
    message = serializers.CharField()


class PreviewSerializer(serializers.Serializer[Any]):
    """A row as it would be taken."""

    row = serializers.IntegerField(help_text="Its number in the file.")
    cells = serializers.ListField(child=serializers.CharField())
    values = serializers.DictField(child=serializers.CharField())
    problems = RowProblemSerializer(many=True)
