"""A server that is killed in the middle of an answer: what came stays, and all else goes on."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jan_jupyter.threads import Thread, ThreadStore, underway
from support.hosts import HOSTS, Host
from support.jan import add_model, add_remote
from support.kernel import Kernel
from support.marks import LONG
from support.random_model import write_model
from support.server import StreamingServer, tokens

from .test_shared import SLOWLY, workers
from .test_talking import page

SOON = "from jan_jupyter import ask; ask.KEPT_EVERY = 0.1"
ALL = "".join(tokens(100_000))
KEPT = {"JAN_KEEP_ALIVE": "60"}
both = pytest.mark.parametrize("kind", SLOWLY)


@pytest.fixture
def folder(tmp_path: Path, server: StreamingServer) -> Iterator[Path]:
    """A place with a model that is asked far away, and one in a worker; both have much to say."""
    add_remote(tmp_path / "jan", server, long="n=100000,delay=0.005", short="n=3")
    settings = {"ctx_len": 4096, "cpu_threads": 1}
    endless = {"ignore_eos": True, "max_tokens": 4000}
    add_model(tmp_path / "jan", "near", engine="nitro", settings=settings, parameters=endless)
    write_model(tmp_path / "jan/models/near/near.gguf", width=512, layers=8, inner=1536)
    yield tmp_path
    server.clear()


def threads(folder: Path) -> list[Thread]:
    store = ThreadStore(folder / "jan")
    return [store.get(listed.id) for listed in store.list()]


def notes(folder: Path) -> dict[str, Thread]:
    """The files of answers under way, or left, and their threads."""
    return {n: thread for thread in threads(folder) for n in underway.all_names(thread.folder)}


def noted(folder: Path, letters: int, *before: str) -> int:
    """Wait until so many letters of an answer under way are kept; how many that are."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for name, thread in notes(folder).items():
            for left in underway.read(thread.folder, [name] if name not in before else []):
                if (found := len(left.message.text)) > letters:
                    return found
        time.sleep(0.01)
    raise AssertionError("nothing was kept")


async def killed(host: Host, thread: str, model: str) -> tuple[str, int]:
    """Ask in a thread (a new one if it is empty), and kill the server in the middle.

    The thread, and how many letters of the answer must be there.
    """
    before = notes(host.folder)
    query = f"?thread={thread}&model={model}" if thread else f"?model={model}"
    async with page(host, query) as one:
        if thread:  # what the server before has left is seen, and gone on with
            part = next(turn for turn in one.turns.values() if turn["status"] == "interrupted")
            assert part["footer"][-1] == "interrupted"
            assert part["cut"]
        await one.do(type="send", text="Why?")
        await one.until(lambda: len(one.come) > 100 and one.state["thread"])
        kept = await asyncio.to_thread(noted, host.folder, len(one.come), *before)
        host.process.send_signal(signal.SIGKILL)
        host.wait()
        return one.state["thread"]["id"], kept


@both
@pytest.mark.parametrize("rounds", [2, pytest.param(30, marks=LONG)])
def test_the_thread_keeps_what_came_and_the_worker_stays(
    folder: Path, kind: str, rounds: int, server: StreamingServer
) -> None:
    thread = ""
    loaded: set[int] = set()
    with Kernel(folder=folder, env=KEPT) as kernel:
        assert kernel.execute("%load_ext jan_jupyter").status == "ok"
        for number in range(rounds):
            turn = number % 4  # a longer conversation is too much for the model that is near
            thread = thread if turn else ""
            model = "near" if number % 2 else "long"
            with HOSTS[kind](folder, change=SOON, env=KEPT) as host:
                thread, kept = asyncio.run(killed(host, thread, model))
            found = next(one for one in threads(folder) if one.id == thread)
            *_, question, part = found.messages
            assert len(found.messages) == 2 * turn + 2
            assert (question.text, part.status, part.model) == ("Why?", "pending", model)
            assert len(part.text) >= kept
            assert model == "near" or ALL.startswith(part.text)
            assert len(workers(folder)) == (number > 0)
            assert not loaded or workers(folder) == loaded
            loaded = workers(folder)
        code = f"""
import jan_jupyter as jan
talk = jan.Chat("near", thread={thread!r})
before = talk.thread.messages[-1].text
more = talk.go_on(max_tokens=60)
said = talk.thread.messages[-1]
assert said.text == before + more.text
print(said.status, len(talk.thread.messages))
"""
        said = kernel.execute(code)
        assert said.text == f"ready {2 * turn + 2}\n", said
        assert workers(folder) == loaded  # and nothing was loaded a second time
        assert [*underway.all_names(found.folder)] == []
        kernel.execute("%jan unload")


@both
def test_a_response_goes_on_from_what_came(
    folder: Path, kind: str, server: StreamingServer
) -> None:
    asked = {"model": "long", "input": "Why?", "stream": True}
    host: Host = HOSTS[kind](folder, change=SOON)
    with host, host.asking("POST", "/responses", asked) as response:
        lines = iter(response.readline, b"")
        data = next(line for line in lines if line.startswith(b"data: "))
        id = json.loads(data.removeprefix(b"data: "))["response"]["id"]
        kept = noted(folder, 100)
        host.process.send_signal(signal.SIGKILL)
        host.wait()
    with HOSTS[kind](folder) as host:
        found = host.ask("GET", f"/responses/{id}").json
        assert found["status"] == "failed"
        text = _text(found)
        assert len(text) >= kept
        assert ALL.startswith(text)
        server.clear()
        server.behave("short", "n=3")
        more = {"model": "short", "input": "And then?", "previous_response_id": id}
        answer = host.ask("POST", "/responses", more).json
        assert _text(answer) == "".join(tokens(3))
        (entry,) = server.journal()
        assert [m["content"] for m in entry.body["messages"]] == ["Why?", text, "And then?"]
        (thread,) = threads(folder)
        messages = host.ask("GET", f"/threads/{thread.id}/messages").json["data"]
        assert [m["status"] for m in messages] == ["ready", "pending", "ready", "ready"]


def _text(response: dict[str, Any]) -> str:
    (message,) = response["output"]
    (part,) = message["content"]
    return str(part["text"])
