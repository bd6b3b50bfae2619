"""Nothing on the background loop waits for a disk or a lock: all streams of a process share it."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import jan_jupyter as jan
from jan_jupyter import api, bridge, errors
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
            answer = bridge.wait(api.respond(jan.router, method, path, json.dumps(sent).encode()))
            assert answer.status == 200
