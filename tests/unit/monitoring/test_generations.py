"""What generator servers do, on the page of metrics."""

from __future__ import annotations

from bot.monitoring.metrics import Metrics
from bot.observer import Generation


def test_requests_tokens_and_rests_are_counted_by_server() -> None:
    metrics = Metrics(version="1")
    metrics.generated(Generation("gpu:8001", "m", "done", 100, 20, 0.2))
    metrics.generated(Generation("gpu:8001", "m", "broken_off", 0, 3, 0.2))
    metrics.rests("gpu:8001", "m", True)
    metrics.fell_back()
    page = metrics.page().decode()
    for line in (
        'kefu_generator_requests_total{end="done",model="m",server="gpu:8001"} 1.0',
        'kefu_generator_requests_total{end="broken_off",model="m",server="gpu:8001"} 1.0',
        'kefu_generator_tokens_total{model="m",server="gpu:8001",side="prompt"} 100.0',
        'kefu_generator_tokens_total{model="m",server="gpu:8001",side="completion"} 23.0',
        'kefu_generator_first_token_seconds_count{server="gpu:8001"} 2.0',
        'kefu_generator_resting{model="m",server="gpu:8001"} 1.0',
        "kefu_generator_fallbacks_total 1.0",
    ):
        assert line in page
