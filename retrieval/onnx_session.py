"""How graphs are run here: on the thread that calls, and without a word to anybody."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


def open_session(graph: Path | bytes) -> Any:
    """An ONNX Runtime session of a file, or of a graph's bytes. Raises onnxruntime's own bare Exceptions."""
    # Read when the library loads: what it gathers about its own use stays off this machine's disk and network.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # a run stays on the thread that calls it
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    given = graph if isinstance(graph, bytes) else str(graph)
    session = onnxruntime.InferenceSession(given, options, providers=["CPUExecutionProvider"])
    # The library keeps what it was given for whoever asks for other providers later: of a tapped graph 147 MB.
    session._model_bytes = None
    return session
