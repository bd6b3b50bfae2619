"""Workers around Intel's libraries, in the environments that `make` has installed."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Coroutine
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from jan_jupyter import errors, settings
from jan_jupyter.engine_options.options import EngineOptions
from jan_jupyter.engines.intel_bigdl import IntelBigdl
from jan_jupyter.engines.local.registry import Registry
from jan_jupyter.engines.local.worker import Worker
from jan_jupyter.models.model import Model
from jan_jupyter.types import ChatRequest, Delta, Event, Message
from nitro.bench import dead, until

INSTALLED = Path(__file__).parents[2] / ".venv-intel"
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


class Bench:
    """The engine as a user has it: installed below the data folder."""

    def __init__(self, backend: str) -> None:
        self.events: list[Event] = []
        options = EngineOptions("intel-bigdl", "intel-bigdl", {"keep_alive": 60})
        self.engine = IntelBigdl(options, self.events.append)
        self.registry = Registry(settings.runtime_folder() / "workers")
        name = "jan-mini-openvino" if backend == "openvino" else "jan-mini"
        bits = {} if backend == "openvino" else {"low_bit": "sym_int8"}
        self.model = model(INSTALLED / name, **bits)
        self.backend = backend

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        async def whole() -> None:
            try:
                await work
            finally:
                await self.engine.close()
                for worker in self.registry.all():
                    await asyncio.to_thread(self.registry.stop, worker)

        asyncio.run(whole())

    def worker(self) -> Worker:
        (worker,) = self.registry.all()
        return worker

    async def answer(self, *messages: Message, **parameters: Any) -> list[Delta]:
        schema = parameters.pop("schema", None)
        request = ChatRequest(messages, {"temperature": 0, **parameters}, schema=schema)
        async with aclosing(self.engine.chat(self.model, request)) as deltas:
            return [delta async for delta in deltas]


def model(folder: Path, **given: Any) -> Model:
    return Model("mini", "", "intel-bigdl", "ready", "json", folder, given, file=folder)


@pytest.fixture(params=["ipex-llm", "openvino"])
def bench(request: pytest.FixtureRequest, isolated: Path) -> Bench:
    installed = isolated / "jan" / "engines" / "intel-bigdl"
    installed.parent.mkdir(parents=True)
    installed.symlink_to(INSTALLED / "engines" / "intel-bigdl")
    return Bench(request.param)


def test_a_worker_is_found_again_and_tells_nobody(bench: Bench, isolated: Path) -> None:
    async def work() -> None:
        first = await bench.answer(Message("user", "What is 12 + 7?"))
        assert "19" in "".join(delta.text for delta in first)
        assert first[-1].usage is not None
        worker = bench.worker()
        assert worker.runtime == bench.backend
        (running,) = await bench.engine.running()
        assert running.memory > 10**7
        await bench.answer(Message("user", "hi"))
        assert bench.worker().pid == worker.pid
        await bench.engine.unload(bench.model)
        assert dead(worker.server_pid)

    bench.run(work())
    # OpenVINO keeps the name under which it would tell Intel about its use below the home folder.
    assert not [*(isolated / "home").glob("**/*openvino*")]


def test_killed_in_mid_answer(bench: Bench) -> None:
    async def work() -> None:
        request = ChatRequest([Message("user", "hi")], {}, extra={"ignore_eos": True})
        async with aclosing(bench.engine.chat(bench.model, request)) as deltas:
            pieces = [await anext(deltas) for _ in range(3)]
            os.kill(bench.worker().server_pid, signal.SIGKILL)
            with pytest.raises(errors.WorkerDied, match="signal 9") as caught:
                pieces += [delta async for delta in deltas]
        assert caught.value.partial.startswith("".join(piece.text for piece in pieces))
        assert await bench.answer(Message("user", "hi"))

    bench.run(work())


def test_a_folder_that_cannot_be_loaded(bench: Bench, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    assert bench.model.file is not None
    shutil.copytree(bench.model.file, broken)
    for weights in (*broken.glob("*.safetensors"), *broken.glob("openvino_model.bin")):
        os.truncate(weights, 1000)
    bench.model = model(broken)

    async def work() -> None:
        with pytest.raises(
            errors.EngineUnavailable, match=r"mini \(intel-bigdl\) cannot be loaded"
        ):
            await bench.engine.load(bench.model)
        await until(lambda: not bench.registry.all())

    bench.run(work())


def test_an_answer_bound_to_a_schema(bench: Bench) -> None:
    async def work() -> None:
        if bench.backend == "openvino":
            deltas = await bench.answer(Message("user", "hi"), schema=SCHEMA, max_tokens=40)
            assert "".join(delta.text for delta in deltas).startswith('{"a":')
        else:
            with pytest.raises(errors.BadRequest, match="schema"):
                await bench.answer(Message("user", "hi"), schema=SCHEMA)

    bench.run(work())


@pytest.mark.parametrize("bench", ["ipex-llm"], indirect=True)
def test_code_that_comes_with_a_model_is_not_run(bench: Bench, tmp_path: Path) -> None:
    folder, ran = tmp_path / "model", tmp_path / "ran"
    assert bench.model.file is not None
    shutil.copytree(bench.model.file, folder)
    (folder / "evil.py").write_text(f"open({str(ran)!r}, 'w')\n")
    config = (folder / "config.json").read_text()
    automatic = '"auto_map": {"AutoConfig": "evil.A", "AutoModelForCausalLM": "evil.B"},'
    config = config.replace('"model_type": "llama",', f'"model_type": "evil", {automatic}')
    (folder / "config.json").write_text(config)
    bench.model = model(folder)

    async def work() -> None:
        with pytest.raises(errors.EngineUnavailable, match="trust_remote_code"):
            await bench.engine.load(bench.model)

    bench.run(work())
    assert not ran.exists()
