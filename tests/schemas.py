"""A schema in which only what is asked for is migrated: going back and forth in a whole one takes a minute."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django_tenants.utils import schema_context

SCHEMA = "migrating"


@pytest.fixture
def bare(autocommit: None) -> Iterator[None]:
    """Stand in an empty schema of its own."""
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE SCHEMA "{SCHEMA}"')
    with schema_context(SCHEMA):
        yield
    connection.set_schema_to_public()
    with connection.cursor() as cursor:
        cursor.execute(f'DROP SCHEMA "{SCHEMA}" CASCADE')
