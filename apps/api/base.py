"""What all resources of the REST API have in common: keys, limits, repeats, pages, filters, expanding."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC
from typing import Any, cast

from django.db import IntegrityError, OperationalError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import register_converter
from django.utils import timezone
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.exceptions import Throttled
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from apps.api import limits, repeats
from apps.api.authentication import HasScope, key_of
from apps.api.paging import CURSOR, LIMIT, Pages
from apps.api.parsing import StrictJSONParser, unreadable
from apps.api.problems import AWAY, MEANWHILE, SLOW_DOWN, WrongFieldsError, problem
from apps.integrations.models import Scope
from apps.integrations.services import KeyRef

UNKNOWN_PARAMETER = "means nothing here."
EMPTY_PARAMETER = "is empty. Leave it out to narrow nothing."
REPEATED_PARAMETER = "stands there twice."
UNKNOWN_FIELD = "is not a known field."
READ_ONLY = "cannot be set."
WRITTEN = frozenset({"POST", "PUT", "PATCH", "DELETE"})
MAX_BYTES = 256 * 1024


class BigId:
    """Numbers as ids in addresses: what a column of ids can hold."""

    regex = "[0-9]{1,18}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)


register_converter(BigId, "bigid")


class _Keyed:
    """Key, scope, limit and repeats, for views of any kind."""

    read_scope: str = Scope.READ
    write_scope: str = Scope.SETUP_WRITE
    # False where a body is too large to be kept, or what is done reaches other systems at once.
    repeatable = True
    max_bytes = MAX_BYTES
    # What may stand behind the “?” beside what filters, pages and expanding bring.
    query_parameters: tuple[str, ...] = ()
    permission_classes: Any = [HasScope]
    parser_classes: Any = [StrictJSONParser]
    _verdict: limits.Verdict | None = None

    def scope_of(self, request: HttpRequest | Request) -> str:
        """What a key must be allowed for this request."""
        return self.read_scope if request.method in SAFE_METHODS else self.write_scope

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)  # type: ignore[misc]
        verdict = self._verdict = self._verdict or limits.spend(key=key_ref(request))
        if not verdict.allowed:
            raise Throttled(wait=verdict.reset, detail=SLOW_DOWN)
        if hasattr(self, (request.method or "").lower()):  # else it is the method that is wrong
            self._check_parameters(request)

    def known_parameters(self) -> set[str]:
        """The names that may stand behind the “?” of this request."""
        return set(self.query_parameters)

    def _check_parameters(self, request: Request) -> None:
        """A misspelt filter that is passed over would give all rows; one that is refused is corrected."""
        known, wrong = self.known_parameters(), []
        for name, values in request.query_params.lists():
            if name not in known:
                wrong.append((name[:60], UNKNOWN_PARAMETER))
            elif "" in values:
                wrong.append((name, EMPTY_PARAMETER))
            elif len(values) > 1 and name != "expand":
                wrong.append((name, REPEATED_PARAMETER))
        if wrong:
            raise WrongFieldsError(wrong)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        refusal = unreadable(request, self.max_bytes)
        if refusal is not None:
            return refusal

        def view() -> HttpResponseBase:
            # Times are told in UTC, whoever asks.
            with timezone.override(UTC):
                return super(_Keyed, self).dispatch(request, *args, **kwargs)  # type: ignore[misc]

        method = (request.method or "").lower()
        known: list[str] = getattr(self, "http_method_names", [])
        possible = request.method in WRITTEN and method in known and hasattr(self, method)
        if not (possible and self.repeatable and repeats.META in request.META):
            return view()
        try:
            return self._once(request, view)
        except IntegrityError:  # What is checked only at the end, when the view has answered already.
            return problem(409, MEANWHILE)
        except OperationalError:
            return problem(503, AWAY, headers={"Retry-After": "5"})

    def _once(self, request: HttpRequest, view: Callable[[], HttpResponseBase]) -> HttpResponseBase:
        """The view's answer, or the first one again: for those who may ask for it, and counted like any other."""
        key = key_of(request)
        if key is None or not key.allows(self.scope_of(request)):
            return view()  # which refuses it
        verdict = self._verdict = limits.spend(key=key)
        if not verdict.allowed:
            return view()
        if not hasattr(request, "_body"):
            # Read here: request.body would refuse what is larger than a form may be.
            request._body = request.read(int(request.META.get("CONTENT_LENGTH") or 0))
        answer = repeats.once_only(request, key, view, timezone.now())
        for name, value in verdict.headers().items():
            answer.headers[name] = value
        return answer

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        if self._verdict is not None:
            for name, value in self._verdict.headers().items():
                response.headers[name] = value
        return super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc]


def key_ref(request: Request) -> KeyRef:
    """The key of a request that has one: permissions have seen to that."""
    return cast("KeyRef", request.auth)


class ApiView(_Keyed, APIView):
    """One path of its own."""


class ApiViewSet(_Keyed, GenericViewSet):
    """A resource: mix in what can be done with it (``rest_framework.mixins``).

    ``expandable``: name in ``?expand=`` → relations to load along for it.
    """

    pagination_class = Pages
    filter_backends = [DjangoFilterBackend]
    # Before anything is known of the tenant; a body of a resource is JSON.
    http_method_names = ["get", "post", "put", "patch", "delete", "head", "options"]
    expandable: dict[str, Iterable[str]] = {}
    page_ordering: tuple[str, ...] = ("-pk",)

    # Whether an action that belongs to one row gives a list all the same.
    lists = False

    @property
    def is_list(self) -> bool:
        """Whether rows are asked for, with filters and pages."""
        return self.request.method not in WRITTEN and (self.lists or not self.detail)

    def known_parameters(self) -> set[str]:
        names = super().known_parameters() | ({"expand"} if self.expandable else set())
        if self.is_list:
            names |= {CURSOR, LIMIT} if self.pagination_class is not None else set()
            filters = getattr(self, "filterset_class", None)
            names |= set(filters.base_filters) if filters else set()
        return names

    def expanded(self) -> set[str]:
        """What the request wants to have told along. Raises WrongFieldsError for what this resource does not know."""
        if getattr(self, "swagger_fake_view", False):
            return set(self.expandable)
        names = expand_of(self.request)
        if names - set(self.expandable):
            raise WrongFieldsError([("expand", f"may name {', '.join(sorted(self.expandable)) or 'nothing here'}.")])
        return names

    def get_queryset(self) -> QuerySet[Any]:
        """With everything that is told along, loaded in the same query."""
        rows: QuerySet[Any] = super().get_queryset()
        along = [path for name in self.expanded() for path in self.expandable[name]]
        return rows.select_related(*along) if along else rows

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Lists are narrowed; one row by its id is that row."""
        return super().filter_queryset(queryset) if self.is_list else queryset

    def get_serializer_context(self) -> dict[str, Any]:
        key = getattr(self.request, "auth", None)  # None while the description is made
        may_read = key is None or key.allows(Scope.READ)
        return {**super().get_serializer_context(), "expanded": self.expanded(), "may_read": may_read}


def expand_of(request: Request | HttpRequest) -> set[str]:
    """The names in ``?expand=a,b`` and ``?expand=a&expand=b``."""
    return {name.strip() for value in request.GET.getlist("expand") for name in value.split(",") if name.strip()}


class Expandable(serializers.Serializer):
    """A serializer whose fields named in ``expandable`` come only where ``?expand=`` asks for them."""

    expandable: tuple[str, ...] = ()

    def get_fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = super().get_fields()
        wanted = self.context.get("expanded", set(self.expandable))
        return {name: field for name, field in fields.items() if name not in self.expandable or name in wanted}


class Written(serializers.Serializer):
    """A row that was just written. A key that may not read is told its id: the rest may have been there before."""

    def get_fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = super().get_fields()
        if not self.context["may_read"]:
            return {"id": fields["id"]}
        for name, field in fields.items():
            if name != "id":
                field.required = field.read_only = False  # for the description
        return fields


class Strict(serializers.Serializer):
    """A body whose unknown fields are refused by name: what is misspelt is not passed over in silence."""

    def to_internal_value(self, data: Any) -> Any:
        errors: dict[str, Any] = {}
        if isinstance(data, Mapping):
            open_fields = {name for name, field in self.fields.items() if not field.read_only}
            for name in data:
                if name not in open_fields:
                    errors[str(name)[:60]] = [READ_ONLY if name in self.fields else UNKNOWN_FIELD]
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({**error.detail, **errors}) from None  # type: ignore[dict-item]
        if errors:
            raise serializers.ValidationError(errors)
        return value


def expand_parameter(*names: str) -> OpenApiParameter:
    """For the schema."""
    return OpenApiParameter(
        "expand",
        {"type": "array", "items": {"type": "string", "enum": sorted(names)}},
        description="Related rows to tell along, separated by commas.",
        style="form",
        explode=False,
    )


def accepted(data: Any) -> Response:
    """202: it was taken, and work on it goes on."""
    return Response(data, status=202)
