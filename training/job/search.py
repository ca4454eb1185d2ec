"""Better values for a recipe, looked for by trial within a time: Optuna's TPE, seeded; hopeless trials end early.

Validation rows alone decide. Trials are kept as JSON lines, so a search that is stopped goes on with the next one.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.job.lesson import VALID, evaluation, make, recipe_of
from training.job.log import Log
from training.job.material import Material
from training.job.place import JobError
from training.job.run import Run
from training.tuning.recipes import Recipe
from training.tuning.task import Step
from training.tuning.tuner import Evaluate

if TYPE_CHECKING:
    from optuna import Study, Trial

Values = dict[str, Any]
FACTOR = 3.0
"""Rates are looked for between a third of the recipe's and three times as much."""
BOUNDS: Mapping[str, tuple[float, float]] = {
    "smoothing": (0.0, 0.15),
    "dropout": (0.0, 0.2),
    "scale": (8.0, 32.0),
    "contrast": (0.0, 1.0),
}
"""Not `blend`: it is for texts that are written otherwise than those to learn from. Validation rows are not, and would
always have all that was learned.
"""
RATES = ("rate", "head_rate")
_SECONDS = "seconds"


def searched(run: Run, material: Material) -> tuple[Recipe, dict[str, Any]]:
    """The best recipe, and all trials for the result. The method's own recipe is the first trial."""
    judge = evaluation(run, material)
    if judge is None:
        raise JobError("A search needs validation rows, and there are too few rows to hold some out")
    search = _Search(run, material, judge)
    search.go_on()
    return search.best(), {"minutes": run.spec.search and run.spec.search.minutes, "trials": search.told()}


class _Search:
    def __init__(self, run: Run, material: Material, judge: Evaluate) -> None:
        assert run.spec.search is not None
        self._run, self._material, self._judge, self._asked = run, material, judge, run.spec.search
        self._own = recipe_of(run)
        self._study = _study(run)
        self._abandon()

    def go_on(self) -> None:
        while self._left() > 0 and not self._enough():
            self._study.sampler = _sampler(self._run.spec.seed + len(self._study.trials))
            if not self._study.trials:
                self._study.enqueue_trial({name: getattr(self._own, name) for name in self._names()})
            self._try(self._study.ask())

    def best(self) -> Recipe:
        """The recipe's own values where no trial came to an epoch's end."""
        from optuna.trial import TrialState

        ended = self._study.get_trials(states=(TrialState.COMPLETE,))
        values = max(ended, key=lambda trial: (trial.value or 0.0, -trial.number)).params if ended else {}
        return recipe_of(self._run, **values)

    def told(self) -> list[dict[str, Any]]:
        return [
            {
                "number": trial.number,
                "state": trial.state.name.lower(),
                VALID: trial.value,
                "epochs": list(trial.intermediate_values.values()),
                "values": trial.params,
                "seconds": trial.user_attrs.get(_SECONDS),
            }
            for trial in self._study.trials
        ]

    def _try(self, trial: Trial) -> None:
        from optuna.trial import TrialState

        begun, best = time.monotonic(), None
        state = TrialState.COMPLETE
        tuner = make(
            self._run, self._material, recipe_of(self._run, **self._suggested(trial)), stage="searching"
        )
        with Log(self._run.place.logs / f"trial-{trial.number}") as log, self._run.stop.gently():
            for step in tuner.run(evaluate=self._judge):
                left = self._left() - (time.monotonic() - begun - trial.user_attrs.get(_SECONDS, 0.0))
                self._say(trial.number, step, best, left)
                log.scalars(step.done, {"loss": step.loss, **step.metrics})
                self._run.stop.heed()
                if step.metrics:
                    trial.report(step.metrics[VALID], step.epoch)
                    best = max(best or 0.0, step.metrics[VALID])
                    trial.set_user_attr(_SECONDS, time.monotonic() - begun)
                    if trial.should_prune():
                        state = TrialState.PRUNED
                        break
                if left <= 0:
                    break
        trial.set_user_attr(_SECONDS, time.monotonic() - begun)
        if state is TrialState.PRUNED or best is None:
            self._study.tell(trial, state=TrialState.PRUNED if best is not None else TrialState.FAIL)
        else:
            self._study.tell(trial, best)

    def _suggested(self, trial: Trial) -> Values:
        found: Values = {}
        for name in self._names():
            if name in RATES:
                own = getattr(self._own, name)
                found[name] = trial.suggest_float(name, own / FACTOR, own * FACTOR, log=True)
            else:
                found[name] = trial.suggest_float(name, *BOUNDS[name])
        return found

    def _names(self) -> list[str]:
        """What the spec does not fix."""
        return [name for name in (*RATES, *BOUNDS) if name not in self._run.spec.recipe]

    def _left(self) -> float:
        """Seconds."""
        spent = [float(trial.user_attrs.get(_SECONDS, 0.0)) for trial in self._study.trials]
        return 60 * self._asked.minutes - sum(spent)

    def _enough(self) -> bool:
        from optuna.trial import TrialState

        ended = (TrialState.COMPLETE, TrialState.PRUNED)
        done = sum(trial.state in ended for trial in self._study.trials)
        return self._asked.trials is not None and done >= self._asked.trials

    def _abandon(self) -> None:
        """The trial that was under way when the job was stopped is tried again."""
        from optuna.trial import TrialState

        for trial in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            self._study.tell(trial.number, state=TrialState.FAIL)
            self._study.enqueue_trial(trial.params)

    def _say(self, number: int, step: Step, best: float | None, left: float) -> None:
        told = f", {100 * best:.2f} % so far" if best is not None else ""
        text = f"searching: trial {number + 1}{told}, {max(left, 0) / 60:.0f} minutes left"
        self._run.say("searching", step.done, step.total, text)


def _study(run: Run) -> Study:
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    run.place.search.mkdir(exist_ok=True)
    for lock in run.place.search.glob("*.lock"):
        lock.unlink()  # of a process that was killed: nobody else is in this folder
    journal = run.place.search / "trials.jsonl"
    _mend(journal)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        storage = JournalStorage(JournalFileBackend(str(journal)))
    return optuna.create_study(
        storage=storage,
        study_name=run.spec.hash,
        load_if_exists=True,
        direction="maximize",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=2),
    )


def _mend(journal: Path) -> None:
    """Without the line that a kill or a full disk has cut off: all behind it would be unreadable."""
    if journal.is_file():
        whole = journal.read_bytes().rfind(b"\n") + 1
        os.truncate(journal, whole)


def _sampler(seed: int) -> Any:
    import optuna

    return optuna.samplers.TPESampler(seed=seed, n_startup_trials=5)
