"""Models of random weights, and a nitro whose workers end with the test."""

from __future__ import annotations

import asyncio
import inspect
import shlex
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nitro.bench import Bench
from support.random_model import write_model

HERE = Path(__file__).parent
Program = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """250 kB: thousands of tokens a second."""
    return write_model(tmp_path_factory.mktemp("models") / "tiny.gguf")


@pytest.fixture(scope="session")
def slow_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """26 MB: a few hundred tokens a second, so that an answer can be watched."""
    path = tmp_path_factory.mktemp("models") / "slow.gguf"
    return write_model(path, width=512, layers=4, inner=1536, heads=8, context=100_000)


@pytest.fixture
def llama_server(tmp_path: Path, bench: Bench) -> Program:
    """Makes a program `llama-server` that nitro is told of; returns the settings that choose it."""

    def make(*more: str) -> dict[str, Any]:
        program = tmp_path / "llama-server"
        command = shlex.join([sys.executable, str(HERE / "llama_server.py"), *more])
        program.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        program.chmod(0o755)
        bench.nitro.options = replace(bench.nitro.options, settings={"runtime_path": str(program)})
        return {"runtime": "llama-server"}

    return make


LLAMA_CPP_PYTHON = pytest.param("llama-cpp-python", marks=pytest.mark.slow)  # has to be compiled


@pytest.fixture(params=["xllamacpp", "llama-server", LLAMA_CPP_PYTHON])
def runtime(request: pytest.FixtureRequest, llama_server: Program) -> dict[str, Any]:
    """The settings that choose a runtime."""
    return llama_server() if request.param == "llama-server" else {"runtime": request.param}


@pytest.fixture(params=["xllamacpp", "llama-server"])
def own_server(request: pytest.FixtureRequest, llama_server: Program) -> dict[str, Any]:
    """The settings that choose a runtime which is llama.cpp's own server."""
    return llama_server() if request.param == "llama-server" else {"runtime": request.param}


@pytest.fixture
def bench() -> Bench:
    """A nitro; at the end of the test all its workers are ended."""
    return Bench()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a coroutine on a loop of its own, in which its bench is closed, too."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    given: dict[str, Any] = {
        name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters
    }

    async def whole() -> None:
        try:
            await pyfuncitem.obj(**given)
        finally:
            if "bench" in given:
                await given["bench"].close()

    asyncio.run(whole())
    return True
