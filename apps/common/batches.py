"""What to do when one row breaks a whole batch: the others go through, the broken one is put aside."""

import logging
from collections.abc import Callable, Iterable
from uuid import UUID

from django.db import InterfaceError, OperationalError

logger = logging.getLogger(__name__)

SINGLES = 50


def together_or_singly(
    *,
    together: Callable[[], int],
    waiting: Callable[[], Iterable[UUID]],
    single: Callable[[UUID], object],
    put_aside: Callable[[UUID, Exception], None],
) -> int:
    """Work on a batch; if that fails, on its rows one by one. Returns how many rows were looked at.

    Each call must be a transaction of its own. Trouble with the database itself is raised: it is
    not the rows' fault, and the queue comes back when its lease has run out.
    """
    try:
        return together()
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("A batch breaks; its rows are taken one by one")
    ids = list(waiting())
    for row_id in ids:
        try:
            single(row_id)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            logger.exception("Row %s is put aside", row_id)
            put_aside(row_id, error)
    return len(ids)


def sentence(error: Exception) -> str:
    """The error in at most 500 characters that PostgreSQL can store."""
    return f"{type(error).__name__}: {error}".replace("\x00", "")[:500]
