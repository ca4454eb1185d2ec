"""When a job is stopped, and how often it must be asked."""

from __future__ import annotations

import signal

import pytest

from training.job.stop import AGAIN_S, Stop, Stopped


def test_a_signal_stops_at_once_and_has_its_code() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Stopped) as caught, Stop().watched():
        signal.raise_signal(signal.SIGTERM)
    assert caught.value.code == 143
    assert signal.getsignal(signal.SIGTERM) is before


def test_what_is_under_way_keeps_its_work_first() -> None:
    now = [0.0]
    stop = Stop(clock=lambda: now[0])
    with stop.watched(), stop.gently():
        stop.heed()
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)  # from the command that the same Ctrl-C has ended
        assert stop.asked == signal.SIGINT
        with pytest.raises(Stopped) as caught:
            stop.heed()
        assert caught.value.code == 130
        now[0] = AGAIN_S + 1
        with pytest.raises(Stopped):
            signal.raise_signal(signal.SIGINT)
