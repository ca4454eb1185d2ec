"""A real OpenAI-compatible server (llama.cpp's own), for benches and tests.

`python -m bench._llama CACHE CHARACTERS AT_ONCE`: with the small model, whose answers have so many characters ("80", or
"8,16"), for so many customers at once. `python -m bench._llama MODEL.gguf CONTEXT [ADAPTER.gguf]`: with a model that
chats by itself, adapted where an adapter is given, as `m`. Prints its address on a free port, serves until its input
ends.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import xllamacpp

from bot.inference.weights import GEMMA, weights

# The model is a base model, without a form for chats. What it says makes little sense, and need not.
TEMPLATE = (
    "{% for m in messages %}{{ '\n\nQuestion: ' if m.role == 'user' else '\nAnswer: ' if m.role == 'assistant' }}"
    "{{ m.content }}{% endfor %}\nAnswer:"
)


def small(cache: Path, characters: str, at_once: int) -> Any:
    parameters = _parameters(weights(cache), GEMMA.name, 2_048 * at_once)
    parameters.n_parallel, parameters.swa_full = at_once, True
    user = xllamacpp.common_grammar_type.COMMON_GRAMMAR_TYPE_USER
    # It would never stop by itself: so many characters, and then nothing is left but the end.
    grammar = f"root ::= [^\\n]{{{characters}}}"
    parameters.sampling.grammar = xllamacpp.CommonGrammar(user, grammar)
    parameters.chat_template, parameters.use_jinja, parameters.enable_chat_template = TEMPLATE, True, True
    return parameters


def chatting(model: Path, context: int, adapter: str | None = None) -> Any:
    parameters = _parameters(model, "m", context)
    parameters.n_parallel = 1
    if adapter is not None:
        parameters.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(adapter, 1.0)]
    return parameters


def _parameters(model: Path, name: str, context: int) -> Any:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(model)
    parameters.model_alias = {name}
    parameters.hostnames, parameters.port = ["127.0.0.1"], 0
    parameters.n_ctx, parameters.cache_ram_mib = context, 0
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
    parameters.ui, parameters.verbosity = False, -1
    return parameters


def main(place: Path, *rest: str) -> None:
    chats = place.is_file()
    server = xllamacpp.Server(
        chatting(place, int(rest[0]), *rest[1:]) if chats else small(place, rest[0], int(rest[1]))
    )
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
