"""Nothing on the background loop waits for a disk or a lock: all streams of a process share it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import jan_jupyter as jan
from jan_jupyter import api, bridge, errors
from jan_jupyter.workspace import shared
from support.jan import add_remote
from support.loop import watched_loop
from support.server import StreamingServer


@pytest.fixture
def models(isolated: Path, server: StreamingServer) -> Iterator[Path]:
    add_remote(isolated / "jan", server, short="n=20", long="n=2000,delay=0.01", cut="n=10,cut=5")
    yield isolated / "jan"
    bridge.wait(jan.router.unload("jan-mini"))
    bridge.wait(jan.router.close())


def test_the_watch_sees_a_look_at_the_disk(tmp_path: Path) -> None:
    async def look(path: Path) -> None:
        os.stat(path)

    with pytest.raises(AssertionError, match=r"os\.stat"), watched_loop():
        bridge.wait(look(tmp_path))


def test_no_way_of_asking_looks_at_the_disk_on_the_loop(models: Path) -> None:
    with watched_loop():
        talk = jan.Chat("short", thread="t")
        talk.ask("one")
        asyncio.run(talk.aask("two"))
        for _ in talk.stream("three", model="long"):
            break
        with pytest.raises(errors.StreamBroken):
            talk.ask("four", model="cut")
        assert len(jan.threads.get("t").messages) == 8
        assert jan.chat("What is 12 + 7?", "jan-mini", max_tokens=8, temperature=0).text
        assert jan.chat("What is 12 + 8?", "jan-mini", max_tokens=8, temperature=0).text
        assert [row.model for row in bridge.wait(jan.router.running())] == ["jan-mini"]
        bridge.wait(jan.router.unload("jan-mini"))


def test_the_api_does_not_either(models: Path) -> None:
    body = {"model": "short", "messages": [{"role": "user", "content": "hi"}]}
    with watched_loop():
        for method, path, sent in (
            ("GET", "models", {}),
            ("GET", "models/short", {}),
            ("POST", "chat/completions", body),
        ):
            answer = bridge.wait(
                api.respond(shared(), api.Request(method, path, body=json.dumps(sent).encode()))
            )
            assert answer.status == 200


NESTED = """
import asyncio
from jan_jupyter import bridge

async def work():
    await asyncio.sleep(0.05)
    return 42

loop = asyncio.new_event_loop()
loop.call_soon(lambda: print(bridge.wait(work())))
for _ in range(5):  # ready in the same turn of the loop
    loop.call_soon(lambda: None)
loop.call_later(0.2, loop.stop)
loop.run_forever()
"""


def test_the_first_wait_in_a_loop_that_runs_takes_nothing_from_its_turn() -> None:
    """In a process of its own: all loops of this one are patched already."""
    done = subprocess.run(
        [sys.executable, "-c", NESTED], capture_output=True, text=True, check=True
    )
    assert done.stdout == "42\n"
