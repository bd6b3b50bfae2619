"""Marks that several tests share."""

from __future__ import annotations

import pytest

LONG = (pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(3600))
"""Of what repeats a test so often that it takes minutes alone: `make test-long` runs it, CI not."""
