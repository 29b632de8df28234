"""The description of the API: made without a warning, valid, and true about keys."""

import json

from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.validation import validate_schema

from apps.api.description import description
from tests.api.calling import ROOT, endpoints


def test_the_description_is_made_without_a_warning_and_is_valid_openapi() -> None:
    description.cache_clear()
    GENERATOR_STATS.reset()
    document = json.loads(description())
    assert not GENERATOR_STATS
    assert document["openapi"].startswith("3.1")
    validate_schema(document)


def test_every_operation_has_a_name_a_tag_its_problems_and_needs_a_key() -> None:
    document = json.loads(description())
    operations = [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    names = [operation["operationId"] for _path, _method, operation in operations]
    assert len(set(names)) == len(names)
    for path, method, operation in operations:
        assert operation["summary"], (path, method)
        assert operation["tags"], (path, method)
        assert operation["tags"] != ["api"], (path, method)
        assert operation["security"] == [{"apiKey": []}], (path, method)
        assert {"401", "403", "429"} <= set(operation["responses"]), (path, method)
        assert any(status.startswith("2") for status in operation["responses"]), (path, method)


def test_what_can_be_called_is_described() -> None:
    document = json.loads(description())
    described = {
        (path.removeprefix(ROOT), method.upper()) for path, methods in document["paths"].items() for method in methods
    }
    assert described == {(endpoint.path, endpoint.method) for endpoint in endpoints()}
