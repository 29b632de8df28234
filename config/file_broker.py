"""A folder as broker, for a single machine without Redis or RabbitMQ.

Kombu's filesystem transport lets a reader take a message, or a binding, that is still being
written, and dies of it. Here a message appears under its name only when it is complete and is
claimed by a rename, and bindings stay in the process: each one declares the few it uses.
"""

import logging
import os
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import filesystem, virtual
from kombu.utils.json import dumps, loads

logger = logging.getLogger(__name__)


class Channel(filesystem.Channel):
    """One file per message; whoever renames it away has it."""

    get_table: Any = virtual.Channel.get_table
    _delete = virtual.Channel._delete

    def _queue_bind(self, *_: Any) -> None:
        """The base class has noted the binding in this process; nothing is written."""

    def _put(self, queue: str, payload: Any, **_: Any) -> None:  # type: ignore[override]
        """Write under a name nobody looks for, then rename."""
        folder = Path(self.data_folder_out)
        name = f"{time.time_ns():020d}_{uuid.uuid4().hex}"
        draft = folder / f"{name}.part"
        draft.write_text(dumps(payload))
        draft.rename(folder / f"{name}.{queue}.msg")

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        """The oldest message of the queue. Raises Empty if there is none."""
        folder = Path(self.data_folder_in)
        for name in sorted(os.listdir(folder)):
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            mine = folder / f"{name}.{os.getpid()}.taken"
            try:
                (folder / name).rename(mine)
            except FileNotFoundError:  # Another worker was faster.
                continue
            text = mine.read_text()
            mine.unlink()
            try:
                return loads(text)
            except ValueError:
                # Only a crash of the whole machine leaves half a message; the rows it announced are still there.
                logger.warning("Dropped an unreadable wake-up: %s", name)
        raise Empty


class Transport(filesystem.Transport):
    """Selected as ``broker_transport`` when no broker is configured."""

    Channel = Channel
    global_state = virtual.BrokerState()
