"""Figures of a run as TensorBoard shows them."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any


class Log:
    """One file more in `folder`. Written as it is told, by no thread of its own: a full disk is an OSError here."""

    def __init__(self, folder: Path) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.record_writer import RecordWriter

        folder.mkdir(parents=True, exist_ok=True)
        self._stream = (folder / f"events.out.tfevents.{time.time_ns()}.{os.getpid()}").open("wb")
        self._records, self._event = RecordWriter(self._stream), Event
        self._write(Event(wall_time=time.time(), file_version="brain.Event:2"))

    def begin(self, step: int) -> None:
        """What an earlier run told of later steps is void."""
        from tensorboard.compat.proto.event_pb2 import SessionLog

        self._write(
            self._event(wall_time=time.time(), step=step, session_log=SessionLog(status=SessionLog.START))
        )

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary

        told = [Summary.Value(tag=name, simple_value=value) for name, value in values.items()]
        self._write(self._event(wall_time=time.time(), step=step, summary=Summary(value=told)))

    def _write(self, event: Any) -> None:
        self._records.write(event.SerializeToString())
        self._records.flush()

    def __enter__(self) -> Log:
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._stream.close()
