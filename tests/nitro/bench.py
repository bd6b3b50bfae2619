"""What the tests of nitro share: an engine with ears, requests, and looks at its workers."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

from jan_jupyter import settings
from jan_jupyter.engine_options.options import EngineOptions
from jan_jupyter.engines.local import supervisor as process
from jan_jupyter.engines.local.registry import Registry
from jan_jupyter.engines.local.worker import Worker
from jan_jupyter.engines.nitro import Nitro
from jan_jupyter.models.model import Model
from jan_jupyter.types import ChatRequest, Delta, Event, Message

CLIENT = Path(__file__).with_name("client.py")
ENDLESS = {"ignore_eos": True}


class Bench:
    """A nitro, what it told, and the registry it works on."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.nitro = Nitro(EngineOptions("nitro", "nitro"), self.events.append)
        self.registry = Registry(settings.runtime_folder() / "workers")
        self.clients: list[subprocess.Popen[str]] = []

    async def close(self) -> None:
        for client in self.clients:
            client.kill()
            client.wait()
            if client.stdout is not None:
                client.stdout.close()
        await self.nitro.close()
        for worker in self.registry.all():
            await asyncio.to_thread(self.registry.stop, worker)

    def client(self, file: Path, given: dict[str, Any], action: str) -> subprocess.Popen[str]:
        """Another process that uses the same models."""
        settings = json.dumps([{**self.nitro.options.settings}, given])
        command = [sys.executable, str(CLIENT), str(file), settings, action]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self.clients.append(
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        )
        return self.clients[-1]

    def worker(self) -> Worker:
        """The one worker that runs."""
        (worker,) = self.registry.all()
        return worker

    def working(self) -> int:
        """How many slots of the one worker are answering."""
        worker = self.worker()
        slots = process.slots(worker.port, worker.secret)
        assert slots is not None
        return sum(working for working, _ in slots)

    def told(self, state: str) -> list[str]:
        return [event.message for event in self.events if event.state == state and event.message]


def model(file: Path, **given: Any) -> Model:
    given = {"ctx_len": 512, "keep_alive": 60, **given}
    return Model(file.stem, "", "nitro", "ready", "bare", file.parent, given, file=file)


def short(text: str = "hi", tokens: int = 4) -> ChatRequest:
    return ChatRequest([Message("user", text)], {"max_tokens": tokens}, extra=ENDLESS)


def endless() -> ChatRequest:
    return short(tokens=100_000)


async def answer(nitro: Nitro, asked: Model, request: ChatRequest) -> list[Delta]:
    async with aclosing(nitro.chat(asked, request)) as deltas:
        return [delta async for delta in deltas]


async def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait for an event; the limit is only there to end a test that fails."""
    deadline = time.monotonic() + seconds
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.01)


def dead(pid: int) -> bool:
    return process.birth(pid) is None
