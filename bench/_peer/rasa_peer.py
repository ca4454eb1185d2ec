"""Rasa's DIET under a Python that has Rasa (3.10): job.json in, found.json out (see `bench._child`)."""

import asyncio
import io
import json
import re
import sys
import time
from pathlib import Path
from typing import Any

PIPELINE = [
    {"name": "WhitespaceTokenizer"},
    {"name": "RegexFeaturizer"},
    {"name": "LexicalSyntacticFeaturizer"},
    {"name": "CountVectorsFeaturizer"},
    {"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 1, "max_ngram": 4},
]
"""What `rasa init` suggests, before the classifier."""


def main() -> None:
    asked, found = (Path(argument) for argument in sys.argv[1:])
    job = json.loads(asked.read_text(encoding="utf-8"))
    nlu, config = project(job, found.parent)

    import rasa
    from rasa.core.agent import Agent
    from rasa.model_training import train_nlu

    sys.stderr = Epochs()
    begun = time.perf_counter()
    model = train_nlu(config=str(config), nlu_data=str(nlu), output=str(found.parent / "models"))
    seconds = time.perf_counter() - begun
    begun = time.perf_counter()
    named = asyncio.run(judged(Agent.load(model), job["test"]))
    answer = {
        "labels": named,
        "seconds": seconds,
        "judging_seconds": time.perf_counter() - begun,
        "versions": {"rasa": rasa.__version__},
    }
    found.write_text(json.dumps(answer), encoding="utf-8")


class Epochs(io.TextIOBase):
    """Takes the place of standard error and reads the epoch off the bar that Rasa draws there."""

    def write(self, text: str) -> int:
        if epoch := re.search(r"Epochs: .*?(\d+)/(\d+)", text):
            tell(int(epoch[1]), int(epoch[2]), "Rasa: epochs of DIET")
        return sys.__stderr__.write(text) if sys.__stderr__ else 0

    def flush(self) -> None:
        if sys.__stderr__:
            sys.__stderr__.flush()


def project(job: dict[str, Any], folder: Path) -> tuple[Path, Path]:
    """The two files that Rasa reads. It takes JSON for examples in a form of its own, so these are YAML."""
    examples: dict[str, list[str]] = {}
    for row in job["train"]:
        examples.setdefault(row["label"], []).append("    - " + " ".join(row["text"].split()))
    intents = [
        "\n".join([f"- intent: {json.dumps(label, ensure_ascii=False)}", "  examples: |", *texts, ""])
        for label, texts in examples.items()
    ]
    classifier = {"name": "DIETClassifier", "epochs": job["epochs"], "random_seed": job["seed"]}
    settings = {
        "version": "3.1",
        "recipe": "default.v1",
        "assistant_id": "peer",
        "language": job["language"],
        "pipeline": [*PIPELINE, classifier],
    }
    nlu, config = folder / "nlu.yml", folder / "config.yml"
    nlu.write_text("".join(['version: "3.1"\nnlu:\n', *intents]), encoding="utf-8")
    config.write_text(json.dumps(settings), encoding="utf-8")
    return nlu, config


async def judged(agent: Any, texts: list[str]) -> list[str]:
    named = []
    for number, text in enumerate(texts, 1):
        parsed = await agent.parse_message(text)
        named.append(parsed["intent"]["name"])
        tell(number, len(texts), "Rasa: texts judged")
    return named


def tell(done: int, total: int, text: str) -> None:
    print(json.dumps({"done": done, "total": total, "text": text}), flush=True)


if __name__ == "__main__":
    main()
