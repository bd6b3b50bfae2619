"""Amounts for people. Bytes are counted in thousands, as disks and hubs do: a GB is 10⁹ of them."""

from __future__ import annotations


def size(count: float) -> str:
    """Bytes: `999 B`, `12 KB`, `2.9 MB`, `340 MB`, `4.7 GB`."""
    for unit in ("B", "KB", "MB"):
        if count < 999.5:
            return f"{count:.1f} {unit}" if unit == "MB" and count < 10 else f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:,.1f} GB"


def duration(seconds: float) -> str:
    """Seconds: `42 s`, `7 min`, `1.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
