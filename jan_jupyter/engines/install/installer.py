"""Running an installer: its lines are told as they come, it knows no keys, it can be stopped."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress

from ...settings import stay_here
from ..local.environment import of_installer

Tell = Callable[[str], None]
"""Takes a line of progress, on the background loop."""


async def run(
    command: Sequence[str], tell: Tell, *, fetches: bool = True
) -> tuple[int, Sequence[str]]:
    """Run a program to its end; gives its exit status and its last lines.

    `fetches`: it may need what is elsewhere, which `local_only` forbids. Cancelling it stops the
    program, and what that has started, before it returns.
    """
    if fetches:
        stay_here("What is to be installed")
    # A package's own build code has no business with keys.
    variables = {**of_installer(os.environ), "PYTHONUNBUFFERED": "1", "NO_COLOR": "1"}
    variables.pop("FORCE_COLOR", None)  # ipykernel sets it
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=variables,
        start_new_session=os.name == "posix",  # an interrupt of the kernel is ours to pass on
    )
    assert process.stdout is not None
    last: deque[str] = deque(maxlen=40)
    try:
        async for line in _lines(process.stdout):
            last.append(line)
            tell(line)
        return await process.wait(), last
    finally:
        if process.returncode is None:
            await asyncio.shield(_stopped(process))


async def _lines(stream: asyncio.StreamReader) -> AsyncIterator[str]:
    """The lines of a stream, however long; blank ones are left out."""
    rest = b""
    while piece := await stream.read(2**16):
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            if text := line.decode("utf-8", "replace").rstrip():
                yield text
    if text := rest.decode("utf-8", "replace").rstrip():
        yield text


async def _stopped(process: asyncio.subprocess.Process) -> None:
    """End it and all that it has started: first kindly, so that it can tidy up."""
    if os.name != "posix":
        process.kill()
        await process.wait()
        return
    for number in (signal.SIGINT, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(TimeoutError):
            async with asyncio.timeout(3):
                await process.wait()
                return
