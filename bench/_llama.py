"""A real OpenAI-compatible server (llama.cpp's own) with the small model, for benches and tests.

`python -m bench._llama CACHE CHARACTERS AT_ONCE`: answers have so many characters ("80", or "8,16"), for so many
customers at once. Prints its address on a free port, serves until its input ends.
"""

from __future__ import annotations

import sys
from pathlib import Path

import xllamacpp

from bot.inference.weights import GEMMA, weights

# The model is a base model, without a form for chats. What it says makes little sense, and need not.
TEMPLATE = (
    "{% for m in messages %}{{ '\n\nQuestion: ' if m.role == 'user' else '\nAnswer: ' if m.role == 'assistant' }}"
    "{{ m.content }}{% endfor %}\nAnswer:"
)


def main(cache: Path, characters: str, at_once: int) -> None:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(weights(cache))
    parameters.model_alias = {GEMMA.name}
    parameters.hostnames, parameters.port = ["127.0.0.1"], 0
    parameters.n_ctx, parameters.n_parallel, parameters.cache_ram_mib = 2_048 * at_once, at_once, 0
    parameters.swa_full = True
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
    parameters.ui, parameters.verbosity = False, -1
    user = xllamacpp.common_grammar_type.COMMON_GRAMMAR_TYPE_USER
    # It would never stop by itself: so many characters, and then nothing is left but the end.
    grammar = f"root ::= [^\\n]{{{characters}}}"
    parameters.sampling.grammar = xllamacpp.CommonGrammar(user, grammar)
    parameters.chat_template, parameters.use_jinja, parameters.enable_chat_template = TEMPLATE, True, True
    server = xllamacpp.Server(parameters)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
