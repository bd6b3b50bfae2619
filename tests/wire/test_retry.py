"""When a server is asked again."""

from __future__ import annotations

import math
from email.utils import formatdate
from time import time

import pytest

from jan_jupyter import errors
from jan_jupyter.wire.retry import LONGEST_WAIT, Patience, retry_after


def test_what_a_server_asks_to_wait() -> None:
    assert retry_after({}) is None
    assert retry_after({"retry-after": "7"}) == 7
    assert retry_after({"retry-after": "7", "retry-after-ms": "1500"}) == 1.5
    assert retry_after({"retry-after": formatdate(time() - 60, usegmt=True)}) == 0
    assert retry_after({"retry-after": "soon"}) is None


@pytest.mark.parametrize("wait", [86_400.0, math.inf])
def test_nobody_is_made_to_wait_for_hours(wait: float) -> None:
    assert Patience().pause(errors.RateLimited("busy", retry_after=wait)) is None
    assert Patience().pause(errors.StillLoading("loading", retry_after=wait)) == LONGEST_WAIT


def test_what_no_repetition_mends_is_not_asked_again() -> None:
    assert Patience().pause(errors.BadRequest("no")) is None
    patience = Patience()
    assert patience.pause(errors.Overloaded("busy", retry_after=3)) == 3
    assert patience.pause(errors.Overloaded("busy", retry_after=3)) == 3
    assert patience.pause(errors.Overloaded("busy", retry_after=3)) is None
