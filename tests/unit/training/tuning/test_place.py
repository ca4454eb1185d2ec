"""When a run is over before its end."""

from __future__ import annotations

from training.tuning.place import Place


def through(metrics: list[float | None], patience: int) -> Place:
    place = Place()
    for metric in metrics:
        place = place.after(metric, patience)
    return place


def test_patience_counts_epochs_without_a_better_metric() -> None:
    assert not through([0.5, 0.4, 0.6, 0.5], 2).over
    ended = through([0.5, 0.6, 0.6, 0.5], 2)
    assert (ended.over, ended.best, ended.since, ended.epoch) == (True, 0.6, 2, 4)


def test_without_patience_or_metrics_it_goes_to_the_end() -> None:
    assert not through([0.5, 0.4, 0.3, 0.2], 0).over
    assert not through([None, None, None], 1).over


def test_a_metric_that_is_no_number_is_not_the_best() -> None:
    assert through([float("nan"), 0.1, float("nan")], 0).best == 0.1
