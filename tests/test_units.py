"""Amounts for people."""

from __future__ import annotations

import pytest

from jan_jupyter.units import duration, size


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (999.6, "1 KB"),
        (12_300, "12 KB"),
        (2_949_120, "2.9 MB"),
        (12_000_000, "12 MB"),
        (999_400_000, "999 MB"),
        (999_600_000, "1.0 GB"),
        (4_700_000_000, "4.7 GB"),
        (10**16, "10,000,000.0 GB"),
    ],
)
def test_bytes_are_counted_in_thousands(count: float, told: str) -> None:
    assert size(count) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.4, "0 s"), (89.4, "89 s"), (90, "2 min"), (5399, "90 min"), (5400, "1.5 h")],
)
def test_durations(seconds: float, told: str) -> None:
    assert duration(seconds) == told
