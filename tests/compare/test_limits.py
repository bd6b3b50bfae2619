"""How many requests are under way at once, by a clock that the test turns."""

from __future__ import annotations

import pytest

from jan_jupyter.compare.running.limits import LONGEST_PAUSE, MOST, Limit


class Clock:
    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


def test_it_grows_by_one_for_each_round() -> None:
    limit = Limit(4)
    for _ in range(4):
        limit.answered()
    assert limit.width == pytest.approx(5, abs=0.2)
    for _ in range(100_000):
        limit.answered()
    assert limit.most == MOST
    assert Limit(MOST + 10).most == MOST + 10  # so many contestants


def test_it_halves_once_for_a_crowd() -> None:
    clock = Clock()
    limit = Limit(16, now=clock)
    sent = clock.time
    clock.time += 1
    for _ in range(5):
        limit.refused(sent, 0.0)
    assert limit.most == 8
    clock.time += 1
    limit.refused(clock.time, 0.0)  # sent since then, and refused again
    assert limit.most == 4
    for _ in range(10):
        clock.time += 1
        limit.refused(clock.time, 0.0)
    assert limit.most == 1


def test_a_server_is_waited_for_as_long_as_it_asks() -> None:
    clock = Clock()
    limit = Limit(8, now=clock)
    limit.refused(clock.time, 20.0)
    limit.refused(clock.time, 5.0)
    assert limit.pause == 20.0
    clock.time += 19
    assert limit.pause == pytest.approx(1.0)
    clock.time += 2
    assert limit.pause == 0
    limit.refused(clock.time, 1e9)
    assert limit.pause == LONGEST_PAUSE
    clock.time += LONGEST_PAUSE
    limit.refused(clock.time, None)  # it does not say
    assert 0 <= limit.pause <= 30


def test_the_slots_of_a_worker_stay() -> None:
    limit = Limit(2, fixed=True)
    for _ in range(50):
        limit.answered()
    limit.refused(1e9, 0.0)
    assert limit.most == 2
