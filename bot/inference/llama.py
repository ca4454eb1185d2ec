"""llama.cpp in this process: it goes on with a text, or answers a conversation. Blocking: for a thread of its own."""

from __future__ import annotations

import http.client
import math
import socket
import tempfile
from collections.abc import Callable, Sequence, Set
from contextlib import suppress
from pathlib import Path
from typing import Any

from bot.errors import GeneratorError
from bot.inference.first_word import LIKELIEST, log_odds
from bot.inference.weights import has_chat_template

CONTEXT = 2_048
"""Tokens of a prompt and its answer."""
KEPT_MIB = 256
"""Of what a model with an adapter made of prompts before, for those that begin alike: some 45 answers that a verifier
read. Another question beside one of them takes about a quarter of the time.
"""
SOCKET = "llm.sock"
LISTENS_S = 10.0
"""Until a server that was just made listens: far more than a busy machine takes."""
Chat = Sequence[dict[str, str]]
"""Messages of a conversation, each with `role` and `content`."""
Hear = Callable[[str], bool]
"""Gets each piece of what is said, and ends the work by returning False."""


class Llama:
    """llama.cpp's server object, asked by function calls; loading takes 2 to 4 s, and memory about the file's size.

    `adapter`: a LoRA for it, which `odds` alone may be asked with; then it takes KEPT_MIB more. It insists on listening
    too: on a Unix socket, then, in a folder that nobody else may enter. Raises OSError, RuntimeError or ValueError
    where a file is none of its kind.
    """

    def __init__(self, model: Path, *, adapter: Path | None = None, threads: int = 1) -> None:
        import xllamacpp

        self.chats = has_chat_template(model)
        """Whether it was taught to answer; else it only goes on with a text."""
        self._folder = tempfile.TemporaryDirectory(prefix="kefu-llm-")
        try:
            parameters = _parameters(xllamacpp, model, Path(self._folder.name, SOCKET), threads)
            if adapter is not None:
                parameters.cache_ram_mib = KEPT_MIB
                # At 0 for whoever does not ask for it.
                parameters.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(adapter), 0.0)]
            self._server: Any = xllamacpp.Server(parameters)
        except BaseException:
            self._folder.cleanup()
            raise

    def complete(self, text: str, hear: Hear, *, max_tokens: int) -> None:
        """Greedily, to the end of the line. Raises GeneratorError where the text does not fit."""
        request = {"prompt": text, "max_tokens": max_tokens, "stop": ["\n"]}
        self._ask(self._server.handle_completions, request, lambda choice: choice["text"], hear)

    def answer(self, chat: Chat, hear: Hear, *, max_tokens: int) -> None:
        """What comes next in a conversation, greedily. Raises GeneratorError where it does not fit."""
        request = {"messages": list(chat), "max_tokens": max_tokens}
        self._ask(
            self._server.handle_chat_completions, request, lambda choice: choice["delta"].get("content"), hear
        )

    def odds(self, chat: Chat, these: Set[str], others: Set[str], *, adapted: bool = False) -> float | None:
        """Log-odds that the answer's first word is of `these` rather than of the `others` (in lower case), by the model
        as it is or with its adapter; None where neither is likely. Raises GeneratorError where the chat does not
        fit, or there is no template for one.
        """
        if not self.chats:
            raise GeneratorError("The local model has no chat template.")
        told: list[dict[str, Any]] = []
        request: dict[str, Any] = {
            "messages": list(chat),
            "max_tokens": 1,
            "temperature": 0,
            "logprobs": True,
        }
        if adapted:
            request["lora"] = [{"id": 0, "scale": 1.0}]
        self._server.handle_chat_completions({**request, "top_logprobs": LIKELIEST}, told.append)
        if not told or "error" in told[0]:
            raise GeneratorError("The local model refused the prompt.")
        logprobs = told[0]["choices"][0]["logprobs"]
        first = logprobs["content"][0]["top_logprobs"] if logprobs else []
        return log_odds(((one["token"], math.exp(one["logprob"])) for one in first), these, others)

    def close(self) -> None:
        """Joins the threads behind it, once both are at work: one that begins after the end was called for never hears
        of it, and would be waited for without end.
        """
        with suppress(OSError, http.client.HTTPException):
            _answered(Path(self._folder.name, SOCKET))
        self._server = None
        self._folder.cleanup()

    def _ask(
        self,
        handle: Callable[..., None],
        request: dict[str, Any],
        said: Callable[[dict[str, Any]], str | None],
        hear: Hear,
    ) -> None:
        refused = False

        def take(chunk: dict[str, Any]) -> bool:
            """True ends the work."""
            nonlocal refused
            refused = refused or "error" in chunk
            return not hear("".join(said(choice) or "" for choice in chunk.get("choices", ())))

        handle({**request, "temperature": 0, "stream": True}, take)
        if refused:
            raise GeneratorError("The local model refused the prompt.")


def _answered(path: Path) -> None:
    """Returns when the server at a Unix socket has answered what takes the thread that listens, and the one that
    computes. Raises OSError or HTTPException.
    """
    link = http.client.HTTPConnection("localhost")
    link.sock = socket.socket(socket.AF_UNIX)
    try:
        link.sock.settimeout(LISTENS_S)
        link.sock.connect(str(path))
        link.request("GET", "/lora-adapters")
        link.getresponse().read()
    finally:
        link.close()


def _parameters(xllamacpp: Any, model: Path, listens: Path, threads: int) -> Any:
    """One slot, no copies of prompts beside it."""
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(model)
    parameters.n_ctx, parameters.n_parallel, parameters.cache_ram_mib = CONTEXT, 1, 0
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
    parameters.n_threads_http = 1
    parameters.swa_full = True  # without it, what prompts have in common would be read anew for each
    parameters.hostnames = [str(listens)]
    parameters.ui = parameters.endpoint_slots = False
    parameters.verbosity = -1
    return parameters
