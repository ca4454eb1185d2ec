"""llama.cpp in this process: a base model that goes on with a text. Blocking: for a thread of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot.errors import GeneratorError

CONTEXT = 2_048
"""Tokens of a prompt and its answer."""


class Llama:
    """llama.cpp's server object, asked by function calls; loading takes about 4 s and 400 MB.

    It insists on listening too: on a Unix socket, then, in a folder that nobody else may enter. Raises OSError or
    RuntimeError where the file is no model.
    """

    def __init__(self, model: Path) -> None:
        import xllamacpp

        self._folder = tempfile.TemporaryDirectory(prefix="kefu-llm-")
        try:
            self._server: Any = xllamacpp.Server(_parameters(xllamacpp, model, Path(self._folder.name)))
        except BaseException:
            self._folder.cleanup()
            raise

    def complete(self, text: str, hear: Callable[[str], bool], *, max_tokens: int) -> None:
        """Greedily, to the end of the line. `hear` gets each piece, and ends the work by returning False.

        Raises GeneratorError where the text does not fit.
        """
        refused = False

        def take(chunk: dict[str, Any]) -> bool:
            """True ends the work."""
            nonlocal refused
            refused = refused or "error" in chunk
            return not hear("".join(choice["text"] for choice in chunk.get("choices", ())))

        request = {"prompt": text, "max_tokens": max_tokens, "temperature": 0, "stop": ["\n"], "stream": True}
        self._server.handle_completions(request, take)
        if refused:
            raise GeneratorError("The local model refused the prompt.")

    def close(self) -> None:
        """Joins the threads behind it."""
        self._server = None
        self._folder.cleanup()


def _parameters(xllamacpp: Any, model: Path, folder: Path) -> Any:
    """One slot, one thread (two on two cores sometimes crawled), no copies of prompts beside the slot."""
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(model)
    parameters.n_ctx, parameters.n_parallel, parameters.cache_ram_mib = CONTEXT, 1, 0
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = parameters.n_threads_http = 1
    parameters.swa_full = True  # without it, what prompts have in common would be read anew for each
    parameters.hostnames = [str(folder / "llm.sock")]
    parameters.ui = parameters.endpoint_slots = False
    parameters.verbosity = -1
    return parameters
