"""llama.cpp's own OpenAI-compatible server with the small model: `python -m bench._llama CACHE`.

Prints its address on a free port, serves until its input ends. One customer at a time, one thread: what is measured is
the way to it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import xllamacpp

from bot.inference.weights import NAME, weights

TEMPLATE = "{% for m in messages %}{{ m.content }}\n{% endfor %}\nAnswer:"
LONGEST = "root ::= [^\\n]{80}"
"""Characters, whatever they are: the small model would never stop by itself, or at once."""


def main(cache: Path) -> None:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(weights(cache))
    parameters.model_alias = {NAME}
    parameters.hostnames, parameters.port = ["127.0.0.1"], 0
    parameters.n_ctx, parameters.n_parallel, parameters.cache_ram_mib = 2_048, 1, 0
    parameters.swa_full = True
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
    parameters.ui, parameters.verbosity = False, -1
    parameters.chat_template, parameters.use_jinja, parameters.enable_chat_template = TEMPLATE, True, True
    user = xllamacpp.common_grammar_type.COMMON_GRAMMAR_TYPE_USER
    parameters.sampling.grammar = xllamacpp.CommonGrammar(user, LONGEST)
    server = xllamacpp.Server(parameters)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
