"""How graphs are run here: on the thread that calls, and without a word to anybody."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_PIECE = 1 << 20
"""Bytes that are copied at once."""


def open_session(graph: Path, *, more: bytes = b"") -> Any:
    """An ONNX Runtime session of a file; `more`: a further part of its protocol buffer, behind all that stands there.
    Raises onnxruntime's own bare Exceptions, and OSError.
    """
    # Read when the library loads: what it gathers about its own use stays off this machine's disk and network.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # a run stays on the thread that calls it
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    with _whole(graph, more) as whole:
        session = onnxruntime.InferenceSession(whole, options, providers=["CPUExecutionProvider"])
    # The library keeps what it was given for whoever asks for other providers later: of a graph as bytes 147 MB.
    session._model_bytes = None
    return session


@contextmanager
def _whole(graph: Path, more: bytes) -> Iterator[str | bytes]:
    """The path of all of it, where the system has files in memory: by a path a graph is loaded in half the time that
    its bytes take, and while others run Python.
    """
    if not more:
        yield str(graph)
    elif not hasattr(os, "memfd_create"):
        yield graph.read_bytes() + more
    else:
        with graph.open("rb") as file, open(os.memfd_create("kefu-graph"), "wb") as both:
            shutil.copyfileobj(file, both, _PIECE)
            both.write(more)
            both.flush()
            yield f"/proc/self/fd/{both.fileno()}"
