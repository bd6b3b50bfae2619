"""Who is next at a worker that is busy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

import pytest

from jan_jupyter.engines.local.places import Places
from jan_jupyter.errors import Replaced
from jan_jupyter.types import Delta, Priority


def served(number: int, asked: Sequence[Priority], leaves: int | None = None) -> list[int]:
    """In which order requests are answered that come while all places are taken."""

    async def play() -> list[int]:
        places = Places(number)
        order: list[int] = []
        done = asyncio.Event()

        async def hold() -> None:
            async with places.taken("person"):
                await done.wait()

        async def ask(which: int, priority: Priority) -> None:
            async with places.taken(priority):
                order.append(which)
                await asyncio.sleep(0)

        holding = [asyncio.create_task(hold()) for _ in range(number)]
        await asyncio.sleep(0)
        tasks = []
        for which, priority in enumerate(asked):
            tasks.append(asyncio.create_task(ask(which, priority)))
            await asyncio.sleep(0)
        if leaves is not None:
            tasks[leaves].cancel()
        done.set()
        await asyncio.gather(*holding, *tasks, return_exceptions=True)
        assert not places.full
        assert places.waiting == 0
        return order

    return asyncio.run(asyncio.wait_for(play(), 10))


@pytest.mark.parametrize(
    ("asked", "order"),
    [
        (["person", "person", "person"], [0, 1, 2]),
        (["grid", "grid", "person"], [2, 0, 1]),
        (["completion", "grid", "person", "grid"], [2, 1, 3, 0]),
        (["completion", "person", "completion"], [1, 0, 2]),
    ],
)
def test_a_person_goes_before_a_grid_before_a_completion(
    asked: Sequence[Priority], order: list[int]
) -> None:
    assert served(1, asked) == order


def test_who_leaves_the_line_keeps_nobody_waiting() -> None:
    assert served(1, ["person"] * 4, leaves=1) == [0, 2, 3]
    assert served(2, ["grid"] * 4, leaves=0) == [1, 2, 3]


def test_a_question_ends_a_completion_that_has_its_place() -> None:
    async def play() -> None:
        places, begun = Places(1), asyncio.Event()

        async def endless() -> AsyncGenerator[Delta, None]:
            begun.set()
            while True:
                await asyncio.sleep(60)
                yield Delta("a")

        async def complete() -> None:
            async with places.taken("completion"):
                async for _ in places.completion(endless()):
                    pass

        completing = asyncio.create_task(complete())
        await begun.wait()
        asks = asyncio.create_task(_take(places))
        waits = asyncio.create_task(_take(places, "grid"))
        await asyncio.wait([asks, waits])
        with pytest.raises(Replaced, match="A question goes before it"):
            await completing
        assert not places.full

    asyncio.run(asyncio.wait_for(play(), 10))


def test_a_place_that_is_given_at_the_moment_of_a_stop_is_given_on() -> None:
    async def play() -> None:
        places = Places(1)
        async with places.taken("person"):
            waits = asyncio.create_task(_take(places))
            await asyncio.sleep(0)
        waits.cancel()  # the place is its own since a moment ago
        with pytest.raises(asyncio.CancelledError):
            await waits
        assert not places.full

    asyncio.run(asyncio.wait_for(play(), 10))


async def _take(places: Places, priority: Priority = "person") -> None:
    async with places.taken(priority):
        pass
