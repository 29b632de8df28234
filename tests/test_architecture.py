"""What import-linter cannot see: which way foreign keys point, and where tables live."""

import re
import tomllib
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db.models import Model

ROOT = Path(__file__).resolve().parent.parent


def ranks() -> dict[str, int]:
    """App label → height in the stack, from the layers contract (bottom is 0)."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["id"] == "layers")
    return {label.strip(): rank for rank, layer in enumerate(reversed(layers)) for label in layer.split("|")}


def foreign_keys() -> list[tuple[str, str, str]]:
    """(app label, model.field, target's app label) of every relation in our apps."""
    found = []
    for model in apps.get_models(include_auto_created=True):
        if not model.__module__.startswith("apps."):
            continue
        for field in (*model._meta.local_fields, *model._meta.local_many_to_many):
            target = field.related_model
            if isinstance(target, type) and issubclass(target, Model):
                found.append((model._meta.app_label, f"{model.__name__}.{field.name}", target._meta.app_label))
    return found


@pytest.mark.parametrize(("source", "field", "target"), foreign_keys(), ids=str)
def test_a_foreign_key_points_to_the_same_app_or_a_lower_one(source: str, field: str, target: str) -> None:
    rank = ranks()
    if target in {"accounts", "auth", "contenttypes"} or source in {"accounts", "tenants"}:
        # Beside the stack: users may be pointed at from anywhere, and point at nothing in it.
        assert target not in rank, f"{field} points from beside into the stack"
        return
    assert source in rank, f"{source} has no place in the layers"
    assert target in rank, f"{field} points to {target}, which has no place in the layers"
    same_height = rank[source] == rank[target]
    assert source == target or (not same_height and rank[target] < rank[source]), f"{field} points up to {target}"


def test_no_foreign_key_leads_from_a_tenants_table_into_public_or_back() -> None:
    shared = {apps.get_containing_app_config(name).label for name in settings.SHARED_APPS}  # type: ignore[union-attr]
    tenant = {apps.get_containing_app_config(name).label for name in settings.TENANT_APPS}  # type: ignore[union-attr]
    only_shared, only_tenant = shared - tenant, tenant - shared
    for source, field, target in foreign_keys():
        assert not (source in only_tenant and target in only_shared), field
        assert not (source in only_shared and target in only_tenant), field


def test_every_app_of_ours_has_its_place() -> None:
    ours = {config.label for config in apps.get_app_configs() if config.name.startswith("apps.")}
    assert ours == set(ranks()) | {"tenants", "accounts"}


def test_the_top_level_holds_only_what_is_expected() -> None:
    expected = {"apps", "config", "docs", "locale", "static", "templates", "tests",
                "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE",
                "Makefile", "Procfile", "README.md", "manage.py", "pyproject.toml", "requirements-dev.in",
                "requirements-dev.txt", "requirements.in", "requirements.txt"}  # fmt: skip
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")} - {"staticfiles", "media"}
    assert found <= expected


def test_the_example_environment_names_every_setting() -> None:
    source = "".join(path.read_text() for path in (ROOT / "config").glob("*.py"))
    read = set(re.findall(r'\b(?:text|flag|number)\("([A-Z_]+)"', source)) - {"DEBUG"}
    named = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert read <= named
