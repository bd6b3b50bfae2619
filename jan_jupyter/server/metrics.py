"""What a server has done, as Prometheus reads it (its text format, version 0.0.4)."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)


class Histogram:
    """How often it took how long."""

    def __init__(self) -> None:
        self._counts = [0] * (len(SECONDS) + 1)
        self._sum = 0.0

    def add(self, seconds: float) -> None:
        self._counts[bisect_left(SECONDS, seconds)] += 1
        self._sum += seconds

    def lines(self, name: str) -> Iterator[str]:
        total = 0
        for bound, count in zip((*SECONDS, "+Inf"), self._counts, strict=True):
            total += count
            yield f'{name}_bucket{{le="{bound}"}} {total}'
        yield f"{name}_sum {self._sum:.6f}"
        yield f"{name}_count {total}"


class Metrics:
    """Counters and histograms; labels are routes of our table, never what somebody wrote."""

    def __init__(self) -> None:
        self.requests = Counter[tuple[str, str, int]]()
        """By method, route and status."""
        self.tokens = Counter[str]()
        """Of prompts and of completions."""
        self.under_way = 0
        """Requests that are being answered."""
        self.times = {name: Histogram() for name in ("queue", "load", "first_token", "request")}

    def text(self) -> str:
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield from _head("requests_total", "counter", "Requests that have ended.")
        for (method, route, status), count in sorted(self.requests.items()):
            labels = f'method="{method}",route="{route}",status="{status}"'
            yield f"jan_requests_total{{{labels}}} {count}"
        yield from _head("requests_under_way", "gauge", "Requests that are being answered.")
        yield f"jan_requests_under_way {self.under_way}"
        yield from _head("tokens_total", "counter", "Tokens of prompts and of completions.")
        for kind in ("prompt", "completion"):
            yield f'jan_tokens_total{{kind="{kind}"}} {self.tokens[kind]}'
        for name, said in (
            ("queue", "Waiting for a free place of a model."),
            ("load", "Until a model could answer."),
            ("first_token", "From asking a model to its first text."),
            ("request", "From a request to its end."),
        ):
            yield from _head(f"{name}_seconds", "histogram", said)
            yield from self.times[name].lines(f"jan_{name}_seconds")


def _head(name: str, kind: str, said: str) -> Iterator[str]:
    yield f"# HELP jan_{name} {said}"
    yield f"# TYPE jan_{name} {kind}"
