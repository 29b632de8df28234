"""JSON for people to read."""

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder


def pretty(value: Any) -> str:
    """Indented, in the order it has, with letters as they are."""
    return json.dumps(value, indent=2, ensure_ascii=False, cls=DjangoJSONEncoder)
