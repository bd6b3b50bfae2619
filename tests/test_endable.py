"""Streams that are ended by somebody else, and keys of which the newest goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

import pytest

from jan_jupyter.endable import Endable, Newest
from jan_jupyter.errors import JanError, Replaced


class Source:
    """Numbers that come when they are let; it knows how often it runs and that it was closed."""

    running = most = 0

    def __init__(self, slowly: float = 0) -> None:
        """`slowly`: the seconds that it takes to close."""
        self.go = asyncio.Semaphore(0)
        self.slowly = slowly
        self.closed = False

    async def read(self) -> AsyncGenerator[int, None]:
        Source.running += 1
        Source.most = max(Source.most, Source.running)
        try:
            for number in range(100):
                await self.go.acquire()
                yield number
        finally:
            await asyncio.sleep(self.slowly)  # a socket takes a moment to close
            self.closed = True
            Source.running -= 1


async def all_of(items: AsyncGenerator[int, None]) -> list[int]:
    async with aclosing(items):
        return [item async for item in items]


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def go() -> None:
        await asyncio.wait_for(work(), 30)

    Source.running = Source.most = 0
    asyncio.run(go())


def test_it_is_ended_while_its_reader_waits() -> None:
    async def work() -> None:
        source = Source()
        stream = Endable(source.read())
        reading = asyncio.create_task(all_of(stream.read()))
        await asyncio.sleep(0)
        stream.end(JanError("enough"))
        await stream.over()
        assert source.closed
        with pytest.raises(JanError, match="enough"):
            await reading
        assert not reading.cancelling()

    run(work)


def test_it_is_ended_while_nobody_reads() -> None:
    async def work() -> None:
        source = Source()
        stream = Endable(source.read())
        source.go.release()
        reader = stream.read()
        assert await anext(reader) == 0
        stream.end(JanError("enough"))
        await stream.over()
        assert source.closed
        with pytest.raises(JanError, match="enough"):
            await anext(reader)

    run(work)


@pytest.mark.parametrize("leaves", [False, True])
def test_its_reader_comes_back_while_it_is_being_ended(leaves: bool) -> None:
    async def work() -> None:
        source = Source(slowly=0.05)
        stream = Endable(source.read())
        source.go.release()
        reader = stream.read()
        assert await anext(reader) == 0
        stream.end(JanError("enough"))
        await asyncio.sleep(0.01)
        if leaves:
            await reader.aclose()
        else:
            with pytest.raises(JanError, match="enough"):
                await anext(reader)
        assert source.closed

    run(work)


def test_it_is_ended_while_its_reader_leaves() -> None:
    async def work() -> None:
        source = Source(slowly=0.05)
        stream = Endable(source.read())
        source.go.release()
        reader = stream.read()
        assert await anext(reader) == 0
        leaving = asyncio.create_task(reader.aclose())
        await asyncio.sleep(0.01)
        stream.end(JanError("enough"))
        await stream.over()
        assert source.closed
        await leaving

    run(work)


def test_another_task_may_read_on() -> None:
    """As a server does: the first piece in one task, the others in another."""

    async def work() -> None:
        source = Source()
        stream = Endable(source.read())
        source.go.release()
        reader = stream.read()
        assert await asyncio.create_task(anext(reader)) == 0
        reading = asyncio.create_task(all_of(reader))
        await asyncio.sleep(0)
        stream.end(JanError("enough"))
        with pytest.raises(JanError, match="enough"):
            await reading
        assert source.closed

    run(work)


def test_who_leaves_is_cancelled_and_who_came_to_the_end_is_not_ended() -> None:
    async def work() -> None:
        source = Source()
        stream = Endable(source.read())
        reading = asyncio.create_task(all_of(stream.read()))
        await asyncio.sleep(0)
        reading.cancel()
        stream.end(JanError("enough"))
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert source.closed

        source = Source()
        for _ in range(100):
            source.go.release()
        stream = Endable(source.read())
        assert len(await all_of(stream.read())) == 100
        stream.end(JanError("enough"))
        await stream.over()

    run(work)


def test_of_one_key_the_newest_goes_on_and_never_two() -> None:
    async def work() -> None:
        newest, sources = Newest(), [Source() for _ in range(5)]
        reading = []
        for source in sources:
            reading.append(asyncio.create_task(all_of(newest.read("cell", source.read()))))
            await asyncio.sleep(0)
        other = Source()
        beside = asyncio.create_task(all_of(newest.read("another", other.read())))
        for source in (sources[-1], other):
            for _ in range(100):
                source.go.release()
        for ended in reading[:-1]:
            with pytest.raises(Replaced):
                await ended
        assert await reading[-1] == [*range(100)]
        assert await beside == [*range(100)]
        assert Source.most == 2  # one of each key
        assert not Source.running
        assert not newest._now

    run(work)
