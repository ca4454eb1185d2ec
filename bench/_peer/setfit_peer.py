"""SetFit in an environment of its own: job.json in, found.json out (see `bench._child`)."""

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any


def main() -> None:
    asked, found = (Path(argument) for argument in sys.argv[1:])
    job = json.loads(asked.read_text(encoding="utf-8"))

    import torch
    from datasets import Dataset
    from setfit import SetFitModel, Trainer, TrainingArguments
    from transformers import TrainerCallback

    class Told(TrainerCallback):  # type: ignore[misc]  # transformers is not looked at
        """A line for each step."""

        def on_step_end(self, _args: Any, state: Any, _control: Any, **_rest: Any) -> None:
            tell(state.global_step, state.max_steps, "SetFit: steps of training")

    torch.set_num_threads(job["threads"])
    train = job["train"]
    model = SetFitModel.from_pretrained(job["encoder"], labels=sorted({row["label"] for row in train}))
    columns = {key: [row[key] for row in train] for key in ("text", "label")}
    begun = time.perf_counter()
    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            output_dir=str(found.parent / "setfit"),
            batch_size=job["batch"],
            num_epochs=job["epochs"],
            num_iterations=job["iterations"],
            seed=job["seed"],
            save_strategy="no",
            report_to="none",
        ),
        train_dataset=Dataset.from_dict(columns),
    )
    trainer.add_callback(Told())
    trainer.train()
    seconds = time.perf_counter() - begun
    tell(0, len(job["test"]), "SetFit: texts judged")
    begun = time.perf_counter()
    named = [str(label) for label in model.predict(job["test"])]
    answer = {
        "labels": named,
        "seconds": seconds,
        "judging_seconds": time.perf_counter() - begun,
        "versions": {name: version(name) for name in ("setfit", "sentence-transformers", "torch")},
    }
    found.write_text(json.dumps(answer), encoding="utf-8")


def tell(done: int, total: int, text: str) -> None:
    print(json.dumps({"done": done, "total": total, "text": text}), flush=True)


if __name__ == "__main__":
    main()
