"""What must not stand in a log: addresses whose last part is a secret."""

import logging
import re
from typing import Any

_SECRET = re.compile(r"(/(?:hooks|s|mail/u|mail/confirm|mail/events)/)[A-Za-z0-9_:.=~-]{20,}")


class HideTokens(logging.Filter):
    """Leaves only the beginning of such addresses: Django writes down the path of every request it could not serve."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = _hidden(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(_hidden(part) for part in record.args)
        return True


def _hidden(part: Any) -> Any:
    return _SECRET.sub(r"\1…", part) if isinstance(part, str) else part
