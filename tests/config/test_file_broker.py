"""The folder broker between real processes."""

import multiprocessing
from pathlib import Path
from queue import Empty

from kombu import Connection


def connect(folder: Path) -> Connection:
    options = {"data_folder_in": str(folder), "data_folder_out": str(folder), "control_folder": str(folder / "control")}
    return Connection(transport="config.file_broker:Transport", transport_options=options)


def produce(folder: Path, writer: int, count: int) -> None:
    with connect(folder) as connection, connection.SimpleQueue("work") as queue:
        for number in range(count):
            queue.put({"writer": writer, "number": number, "filler": "x" * 5000})


def consume(folder: Path, patience: float, found: "multiprocessing.Queue[tuple[int, int]]") -> None:
    with connect(folder) as connection, connection.SimpleQueue("work") as queue:
        while True:
            try:
                message = queue.get(timeout=patience)
            except Empty:
                return
            message.ack()
            found.put((message.payload["writer"], message.payload["number"]))


def test_every_message_reaches_one_reader_and_none_is_torn(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    found = context.Queue()
    readers = [context.Process(target=consume, args=(tmp_path, 4.0, found)) for _ in range(2)]
    writers = [context.Process(target=produce, args=(tmp_path, n, 100)) for n in range(3)]
    for process in readers + writers:
        process.start()
    seen = [found.get(timeout=40) for _ in range(300)]
    for process in readers + writers:
        process.join(20)
        assert process.exitcode == 0
    assert sorted(seen) == [(writer, number) for writer in range(3) for number in range(100)]
    assert not [path.name for path in tmp_path.iterdir() if path.suffix in (".msg", ".part", ".taken")]


def test_half_a_message_is_dropped_and_the_next_one_read(tmp_path: Path) -> None:
    with connect(tmp_path) as connection, connection.SimpleQueue("work") as queue:
        (tmp_path / "0_torn.work.msg").write_text('{"half')
        queue.put("whole")
        assert queue.get(timeout=5).payload == "whole"
