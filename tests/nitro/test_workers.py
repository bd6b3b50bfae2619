"""Real worker processes: shared, warm, mortal, and never in the way."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from jan_jupyter import errors
from jan_jupyter.engine_options.options import EngineOptions
from jan_jupyter.engines import nitro
from jan_jupyter.engines.local import registry
from jan_jupyter.engines.local import supervisor as process
from jan_jupyter.engines.local import worker as workers
from jan_jupyter.engines.local.pool import Workers
from jan_jupyter.engines.nitro import Nitro
from jan_jupyter.types import Event
from nitro.bench import Bench, answer, dead, endless, model, short, until
from support.random_model import write_embedder, write_model

from .conftest import Program

Runtime = dict[str, Any]

# Sharing ------------------------------------------------------------------------------------------


async def test_an_answer(bench: Bench, tiny_model: Path, runtime: Runtime) -> None:
    deltas = await answer(bench.nitro, model(tiny_model, **runtime), short(tokens=8))
    assert "".join(delta.text for delta in deltas)
    last = deltas[-1]
    assert last.finish == "length"
    assert last.usage is not None
    assert last.usage.completion == 8
    assert last.timings is not None
    assert last.timings.tokens_per_second
    assert last.timings.prompt
    assert last.timings.decode
    assert last.timings.decode_tokens == 8
    assert (last.timings.prompt_tokens, last.timings.cached_tokens) == (last.usage.prompt, 0)
    again = (await answer(bench.nitro, model(tiny_model, **runtime), short(tokens=8)))[-1].timings
    assert again is not None
    assert again.cached_tokens == last.usage.prompt - (again.prompt_tokens or 0) > 0
    (row,) = await bench.nitro.running()
    assert (row.model, row.engine, row.state) == ("tiny", "nitro", "ready")
    assert row.runtime == runtime["runtime"]
    assert row.memory > 10**6
    loading = [event.progress for event in bench.events if event.state == "loading"]
    assert loading == sorted(loading, key=lambda progress: progress or 0.0)


async def test_processes_that_ask_at_once_share_one_worker(
    bench: Bench, tiny_model: Path, runtime: Runtime
) -> None:
    asked = model(tiny_model, **runtime)
    clients = [bench.client(tiny_model, dict(asked.settings), "chat") for _ in range(2)]
    await asyncio.gather(*(bench.nitro.load(asked) for _ in range(3)))
    server = bench.worker().server_pid
    for client in clients:
        out, _ = await asyncio.to_thread(client.communicate)
        assert client.returncode == 0
        assert json.loads(out)["pids"] == [server]


async def test_a_new_process_finds_it_warm_without_heavy_imports(
    bench: Bench, tiny_model: Path
) -> None:
    asked = model(tiny_model)
    first = bench.client(tiny_model, dict(asked.settings), "load")
    out, _ = await asyncio.to_thread(first.communicate)
    assert json.loads(out)["heavy"] == ["filelock", "psutil"]
    second = bench.client(tiny_model, dict(asked.settings), "load")
    warm, _ = await asyncio.to_thread(second.communicate)
    assert json.loads(warm) == {"pids": json.loads(out)["pids"], "heavy": []}


async def test_other_settings_are_another_worker_and_ours_leaves(
    bench: Bench, tiny_model: Path
) -> None:
    """Also if the engine's file was edited, which makes another engine."""
    keys = []
    for settings in ({"ctx_len": 256}, {"ctx_len": 512}, {"ctx_len": 512, "keep_alive": 61}):
        edited = Nitro(EngineOptions("nitro", "nitro"), bench.events.append)
        await edited.load(model(tiny_model, **settings))
        await edited.close()
        keys.append(bench.worker().key)
    assert keys[0] != keys[1] == keys[2]


async def test_an_exchanged_file_is_another_worker(bench: Bench, tmp_path: Path) -> None:
    file = write_model(tmp_path / "model.gguf")
    await bench.nitro.load(model(file))
    before = bench.worker().key
    write_model(file, width=32)
    await bench.nitro.load(model(file))
    assert bench.worker().key != before


async def test_a_worker_that_another_process_uses_stays(bench: Bench, tiny_model: Path) -> None:
    first = model(tiny_model, ctx_len=256)
    await bench.nitro.load(first)
    client = bench.client(tiny_model, dict(first.settings), "load")
    await asyncio.to_thread(client.communicate)
    await bench.nitro.load(model(tiny_model, ctx_len=512))
    assert len(bench.registry.all()) == 2


async def test_settings_arrive(bench: Bench, tiny_model: Path, own_server: Runtime) -> None:
    template = "<|sys|>{system_message}<|user|>{prompt}<|bot|>"
    given = {"n_parallel": 2, "prompt_template": template, "embedding": True, "flash_attn": "on"}
    await bench.nitro.load(model(tiny_model, cache_type_k="f32", **given, **own_server))
    worker = bench.worker()
    _, slots = await asyncio.to_thread(process.ask, worker.port, "/slots", worker.secret)
    assert [slot["n_ctx"] for slot in json.loads(slots)] == [512, 512]  # shared, not divided
    _, props = await asyncio.to_thread(process.ask, worker.port, "/props", worker.secret)
    assert "<|user|>" in json.loads(props)["chat_template"]


async def test_several_answers_need_as_many_slots(
    bench: Bench, tiny_model: Path, own_server: Runtime
) -> None:
    asked = model(tiny_model, n_parallel=2, **own_server)
    request = short(tokens=8)
    request = replace(request, parameters={**request.parameters, "n": 2})
    deltas = await answer(bench.nitro, asked, request)
    assert {delta.choice for delta in deltas if delta.text} == {0, 1}
    assert [delta.choice for delta in deltas if delta.finish] == [1, 0]
    assert deltas[-1].usage is not None
    assert deltas[-1].usage.completion == 16
    assert deltas[-1].timings is not None
    assert deltas[-1].timings.decode_tokens == 16  # of both, made at the same time
    with pytest.raises(errors.BadRequest, match="`n_parallel` to 3"):
        await answer(bench.nitro, asked, replace(request, parameters={"n": 3}))


async def test_a_model_may_chat_and_embed(bench: Bench, tiny_model: Path) -> None:
    import httpx2

    asked = model(tiny_model, embedding=True)
    assert await answer(bench.nitro, asked, short())
    worker = bench.worker()
    key = {"Authorization": f"Bearer {worker.secret}"}
    async with httpx2.AsyncClient(trust_env=False) as client:
        reply = await client.post(f"{worker.url}/v1/embeddings", json={"input": "hi"}, headers=key)
    assert len(reply.json()["data"][0]["embedding"]) == 64


async def test_what_is_left_out_of_the_settings_is_told_once_with_an_answer(
    bench: Bench, tiny_model: Path
) -> None:
    asked = model(tiny_model, wibble=1, ngl="many", text_model=True, ctx_len=100_000)
    await bench.nitro.load(asked)
    first, second = [(await answer(bench.nitro, asked, short()))[-1] for _ in range(2)]
    left_out, context = first.notes
    assert left_out == "settings left out: wibble is not known; ngl='many' does not fit"
    assert context.startswith("ctx_len 100,000 is more than the model was trained for")
    assert not second.notes
    assert {left_out, context} <= {*bench.told("loading")}
    # Another kernel finds the worker, and what was told when it was started.
    other = Nitro(EngineOptions("nitro", "nitro"))
    deltas = await answer(other, model(tiny_model, ctx_len=100_000), short())
    await other.close()
    assert deltas[-1].notes == (context,)


async def test_a_prompt_that_is_too_long(bench: Bench, tiny_model: Path, runtime: Runtime) -> None:
    asked = model(tiny_model, ctx_len=256, **runtime)
    with pytest.raises(errors.ContextOverflow, match=r"takes 256.*larger `ctx_len`"):
        await answer(bench.nitro, asked, short("word " * 500))
    assert await answer(bench.nitro, asked, short())


# A context that several requests share ------------------------------------------------------------


def tokens(count: int) -> str:
    """A text that is so many tokens to the models of these tests."""
    return "word " * (count // 4)


async def test_each_of_several_requests_may_use_the_whole_context(
    bench: Bench, tiny_model: Path, runtime: Runtime
) -> None:
    asked = model(tiny_model, n_parallel=4, **runtime)
    *_, last = await answer(bench.nitro, asked, short(tokens(450)))
    assert last.usage is not None
    assert last.usage.prompt > 0.9 * 512
    with pytest.raises(errors.ContextOverflow, match=r"takes 512.*larger `ctx_len`"):
        await answer(bench.nitro, asked, short(tokens(600)))


async def test_each_may_have_a_context_of_its_own(
    bench: Bench, tiny_model: Path, own_server: Runtime
) -> None:
    await bench.nitro.load(model(tiny_model, n_parallel=2, kv_unified=False, **own_server))
    worker = bench.worker()
    assert not worker.shared
    _, slots = await asyncio.to_thread(process.ask, worker.port, "/slots", worker.secret)
    assert [slot["n_ctx"] for slot in json.loads(slots)] == [512, 512]


async def test_several_answers_compute_their_prompt_once(bench: Bench, tiny_model: Path) -> None:
    asked = model(tiny_model, n_parallel=4)
    request = short(tokens(300), tokens=16)
    request = replace(request, parameters={**request.parameters, "n": 3})
    deltas = await answer(bench.nitro, asked, request)
    assert {delta.choice for delta in deltas if delta.text} == {0, 1, 2}
    worker = bench.worker()
    _, counters = await asyncio.to_thread(process.ask, worker.port, "/metrics", worker.secret)
    rows = [line.split() for line in counters.decode().splitlines() if line[0] != "#"]
    computed = {name: float(value) for name, value in rows}["llamacpp:prompt_tokens_total"]
    assert deltas[-1].usage is not None
    assert computed == deltas[-1].usage.prompt > 300


async def test_those_that_do_not_fit_together_wait(bench: Bench, slow_model: Path) -> None:
    """llama.cpp itself would end all of them."""
    asked = model(slow_model, ctx_len=256, n_parallel=4)
    await bench.nitro.load(asked)
    long = [short(f"{i} {tokens(100)}", tokens=20) for i in range(4)]
    answers = await asyncio.gather(*(answer(bench.nitro, asked, request) for request in long))
    assert [deltas[-1].finish for deltas in answers] == ["length"] * 4
    assert [usage.completion for deltas in answers if (usage := deltas[-1].usage)] == [20] * 4
    assert "slow: waiting for room beside 1 in its context." in bench.told("queued")


async def test_the_largest_ends_when_they_have_filled_the_context(
    bench: Bench, slow_model: Path
) -> None:
    asked = model(slow_model, ctx_len=256, n_parallel=2)
    await bench.nitro.load(asked)
    letters = {"grammar": "root ::= [a-z ]*", **endless().extra}  # each token is a piece of text
    full, other = await asyncio.gather(
        *(
            answer(bench.nitro, asked, replace(endless(), messages=asks.messages, extra=letters))
            for asks in (short(tokens(40)), short())
        ),
        return_exceptions=True,
    )
    assert isinstance(full, errors.ContextOverflow)
    assert "at once has filled the 256 tokens of its context" in str(full)
    assert full.partial
    assert isinstance(other, list)
    assert other[-1].finish == "length"


async def test_what_another_kernel_fills_is_waited_for_or_told(
    bench: Bench, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody here knows what others hold: the server's word counts."""
    asked = model(tiny_model, n_parallel=2)
    await bench.nitro.load(asked)
    other = Nitro(EngineOptions("nitro", "nitro"))
    filled = short(tokens(400), tokens=60)
    both = await asyncio.gather(
        *(answer(engine, asked, filled) for engine in (bench.nitro, other)), return_exceptions=True
    )
    await other.close()
    for one in both:
        if isinstance(one, errors.ContextOverflow):
            assert "at once has filled the 512 tokens of its context" in str(one)
        else:
            assert isinstance(one, list)
            assert one[-1].finish == "length"
    assert await answer(bench.nitro, asked, filled)


async def test_it_is_no_child_of_ours(bench: Bench, tiny_model: Path, runtime: Runtime) -> None:
    """A kernel that restarts ends all its children, and still shall find its model warm."""
    await bench.nitro.load(model(tiny_model, **runtime))
    children = {child.pid for child in psutil.Process().children(recursive=True)}
    worker = bench.worker()
    assert not children & {worker.pid, worker.server_pid}
    assert psutil.Process(worker.server_pid).ppid() == worker.pid


async def test_a_llama_server_of_2024(
    bench: Bench, tiny_model: Path, llama_server: Program
) -> None:
    """It would end at an option that came later; it has no cache that several share."""
    new = {"load_mode": "none", "flash_attn": "on", "cache_reuse": 1, "n_parallel": 2}
    asked = model(tiny_model, **llama_server("--old"), **new)
    *_, last = await answer(bench.nitro, asked, short(tokens(450)))
    assert last.notes == ("llama-server does not know cache_reuse",)
    worker = bench.worker()
    _, slots = await asyncio.to_thread(process.ask, worker.port, "/slots", worker.secret)
    assert [slot["n_ctx"] for slot in json.loads(slots)] == [512, 512]


async def test_a_template_beside_the_model_is_taken_and_no_other(
    bench: Bench, tmp_path: Path, own_server: Runtime
) -> None:
    folder = tmp_path / "models" / "m"
    folder.mkdir(parents=True)
    file = write_model(folder / "m.gguf")
    template = "{% for m in messages %}<|here|>{{ m.content }}{% endfor %}"
    (folder / "chat.jinja").write_text(template)
    (tmp_path / "other.jinja").write_text("<|evil|>")
    (folder / "link.jinja").symlink_to(tmp_path / "other.jinja")
    await bench.nitro.load(model(file, chat_template_file="chat.jinja", **own_server))
    worker = bench.worker()
    _, props = await asyncio.to_thread(process.ask, worker.port, "/props", worker.secret)
    assert json.loads(props)["chat_template"] == template
    for name in ("../../other.jinja", str(tmp_path / "other.jinja"), "link.jinja"):
        spec = bench.nitro.spec(model(file, chat_template_file=name, **own_server))
        assert "chat_template" not in spec.options
        said = f"settings left out: chat_template_file {name} is not in the model's folder"
        assert spec.notes == [said]
    spec = bench.nitro.spec(model(file, chat_template_file="none", **own_server))
    assert spec.notes == ["settings left out: chat_template_file none is no file of at most 1 MB"]


async def test_raw_settings_of_the_engine_file_arrive(bench: Bench, tiny_model: Path) -> None:
    def say(**raw: object) -> None:
        bench.nitro.options = replace(bench.nitro.options, settings={"llama": raw})

    say(**{"sampling.top_k": 7}, port=1, tools=["all"])
    *_, last = await answer(bench.nitro, model(tiny_model), short())
    (note,) = last.notes
    assert "llama.port is not for a setting to say; llama.tools is not" in note
    worker = bench.worker()
    _, slots = await asyncio.to_thread(process.ask, worker.port, "/slots", worker.secret)
    assert json.loads(slots)[0]["params"]["top_k"] == 7
    say(wings=2)
    with pytest.raises(errors.EngineUnavailable, match=r"llama\.cpp cannot be set to wings=2"):
        await bench.nitro.load(model(tiny_model))
    with pytest.raises(errors.BadRequest, match=r"sets what llama\.cpp is told \(llama\)"):
        await bench.nitro.load(model(tiny_model, llama={"sampling.top_k": 7}))


# Leaving ------------------------------------------------------------------------------------------


async def test_it_leaves_when_nobody_asks(bench: Bench, tiny_model: Path, runtime: Runtime) -> None:
    await answer(bench.nitro, model(tiny_model, keep_alive=0.5, **runtime), short())
    worker = bench.worker()
    await until(lambda: dead(worker.pid) and dead(worker.server_pid))
    assert not list(bench.registry.folder.glob("*.json"))


async def test_it_stays_while_it_answers(bench: Bench, slow_model: Path) -> None:
    asked = model(slow_model, ctx_len=8192, keep_alive=0.2)
    async with aclosing(bench.nitro.chat(asked, endless())) as deltas:
        await anext(deltas)
        worker = bench.worker()
        beats = 0
        async for _ in deltas:
            now = bench.registry.look(worker.key)
            assert now is not None
            if now.busy and (beats := beats + 1) > 300:
                break
    await until(lambda: dead(worker.pid))


async def test_a_later_client_may_keep_it_for_longer(bench: Bench, tiny_model: Path) -> None:
    await answer(bench.nitro, model(tiny_model, keep_alive=5), short())
    worker = bench.worker()
    await bench.nitro.load(model(tiny_model, keep_alive=500))

    def extended() -> bool:
        now = bench.registry.look(worker.key)
        return now is not None and (now.pid, now.keep_alive) == (worker.pid, 500.0)

    await until(extended)


async def test_it_leaves_when_its_entry_is_gone(bench: Bench, tiny_model: Path) -> None:
    await bench.nitro.load(model(tiny_model))
    worker = bench.worker()
    (bench.registry.folder / f"{worker.key}.json").unlink()
    await until(lambda: dead(worker.pid) and dead(worker.server_pid))


async def test_unload(bench: Bench, tiny_model: Path, runtime: Runtime) -> None:
    asked = model(tiny_model, **runtime)
    await bench.nitro.load(asked)
    worker = bench.worker()
    await bench.nitro.unload(asked)
    assert dead(worker.pid)
    assert dead(worker.server_pid)
    assert await bench.nitro.running() == []
    await bench.nitro.unload(asked)


async def test_unload_while_it_loads(bench: Bench, tiny_model: Path, llama_server: Program) -> None:
    asked = model(tiny_model, **llama_server("--slow", "60"))
    loading = asyncio.create_task(bench.nitro.load(asked))
    await until(bench.registry.all)
    worker = bench.worker()
    assert worker.state == "loading"
    await bench.nitro.unload(asked)
    with pytest.raises(errors.EngineUnavailable, match="unloaded while it was loading"):
        await loading
    assert dead(worker.pid)


async def test_it_may_be_unloaded_before_its_loader_has_seen_it(
    bench: Bench,
    tiny_model: Path,
    llama_server: Program,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = model(tiny_model, **llama_server("--slow", "60"))
    may_look = threading.Event()
    look = registry.Registry.look

    def late(self: Any, key: str) -> Any:
        """What `start` polls; it comes to look when all is over."""
        if sys._getframe(1).f_code.co_name == "start":
            assert may_look.wait(30)
        return look(self, key)

    monkeypatch.setattr(registry.Registry, "look", late)
    loading = asyncio.create_task(bench.nitro.load(asked))
    await until(bench.registry.all)
    worker = bench.worker()
    await bench.nitro.unload(asked)
    may_look.set()
    with pytest.raises(errors.EngineUnavailable, match="unloaded while it was loading"):
        await loading
    assert dead(worker.pid)


async def test_only_the_last_to_give_up_stops_a_load(
    bench: Bench, tiny_model: Path, llama_server: Program
) -> None:
    asked = model(tiny_model, **llama_server("--slow", "60"))
    one, other = (asyncio.create_task(bench.nitro.load(asked)) for _ in range(2))
    await until(lambda: bench.events)
    worker = bench.worker()
    one.cancel()
    await asyncio.wait([one])
    assert worker.alive
    other.cancel()
    await asyncio.wait([other])
    await until(lambda: dead(worker.pid))
    assert bench.events[-1].state == "unloaded"  # who watches does not see it loading for ever


async def test_a_load_that_somebody_else_gave_up_is_taken_over(
    bench: Bench, tiny_model: Path, llama_server: Program
) -> None:
    asked = model(tiny_model, **llama_server("--slow", "2"))
    client = bench.client(tiny_model, dict(asked.settings), "load")
    await until(bench.registry.all)
    first = bench.worker()
    loading = asyncio.create_task(bench.nitro.load(asked))
    await until(lambda: bench.events)
    await asyncio.to_thread(bench.registry.stop, first)
    await loading
    assert bench.worker().pid != first.pid
    client.kill()


# Dying --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("victim", ["server_pid", "pid"])
async def test_killed_in_mid_answer(
    bench: Bench, slow_model: Path, runtime: Runtime, victim: str
) -> None:
    asked = model(slow_model, ctx_len=8192, **runtime)
    async with aclosing(bench.nitro.chat(asked, endless())) as deltas:
        pieces = [await anext(deltas) for _ in range(5)]
        worker = bench.worker()
        os.kill(getattr(worker, victim), signal.SIGKILL)

        async def the_rest() -> None:
            async for delta in deltas:
                pieces.append(delta)

        with pytest.raises(errors.WorkerDied) as caught:
            await the_rest()
    assert caught.value.partial == "".join(piece.text for piece in pieces)
    assert caught.value.partial
    assert "slow (nitro)" in str(caught.value)
    if victim == "server_pid":
        assert "signal 9" in str(caught.value)
    await until(lambda: dead(worker.pid) and dead(worker.server_pid))
    assert await answer(bench.nitro, asked, short())


async def test_gone_between_load_and_request(
    bench: Bench, tiny_model: Path, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look at the registry may be older than the end of the worker; the user sees nothing."""
    asked = model(tiny_model, **runtime)
    await bench.nitro.load(asked)
    worker = bench.worker()
    ready = bench.nitro._ready
    ends = [worker]

    async def ready_then_gone(asked: Any, spec: workers.WorkerSpec) -> workers.Worker:
        found = await ready(asked, spec)
        while ends:
            await asyncio.to_thread(bench.registry.stop, ends.pop())
        return found

    monkeypatch.setattr(bench.nitro, "_ready", ready_then_gone)
    assert await answer(bench.nitro, asked, short())
    assert bench.worker().pid != worker.pid


async def test_a_killed_client_leaves_a_worker_that_leaves(bench: Bench, slow_model: Path) -> None:
    given = {"ctx_len": 8192, "keep_alive": 0.5}
    client = bench.client(slow_model, given, "stream")
    assert client.stdout is not None
    await asyncio.to_thread(client.stdout.readline)
    worker = bench.worker()
    client.kill()
    await asyncio.to_thread(client.wait)
    assert worker.alive
    await until(lambda: dead(worker.pid) and dead(worker.server_pid))


# Not starting -------------------------------------------------------------------------------------


async def test_a_file_that_llama_cpp_refuses(
    bench: Bench, tmp_path: Path, runtime: Runtime
) -> None:
    file = write_model(tmp_path / "odd.gguf", architecture="nonsense")
    with pytest.raises(errors.ModelBroken) as caught:
        await bench.nitro.load(model(file, **runtime))
    message = str(caught.value)
    assert message.startswith("odd (nitro) cannot be loaded")
    assert "unknown model architecture: 'nonsense'" in message
    assert str(file) in message
    assert bench.registry.all() == []


async def test_a_file_that_is_cut(bench: Bench, tmp_path: Path) -> None:
    file = write_model(tmp_path / "cut.gguf")
    os.truncate(file, 200_000)
    with pytest.raises(errors.ModelBroken, match=r"cut \(nitro\).*truncated"):
        await bench.nitro.load(model(file))


async def test_a_program_that_does_not_start(
    bench: Bench, tiny_model: Path, llama_server: Program
) -> None:
    asked = model(tiny_model, **llama_server("--broken"))
    with pytest.raises(errors.EngineUnavailable) as caught:
        await bench.nitro.load(asked)
    assert "libcudart.so.12: cannot open" in str(caught.value)
    assert "exit status 1" in str(caught.value)
    llama_server()  # mended
    assert await answer(bench.nitro, asked, short())


async def test_options_that_the_model_cannot_bear(
    bench: Bench, tiny_model: Path, runtime: Runtime
) -> None:
    """Heads of 16 values do not fit the blocks of q8_0: llama.cpp ends before it serves."""
    with pytest.raises(errors.EngineUnavailable, match=r"K cache type q8_0.*engine\.json"):
        await bench.nitro.load(model(tiny_model, cache_type_k="q8_0", flash_attn="on", **runtime))


async def test_a_worker_killed_while_it_loads(
    bench: Bench, tiny_model: Path, llama_server: Program
) -> None:
    asked = model(tiny_model, **llama_server("--slow", "60"))
    loading = asyncio.create_task(bench.nitro.load(asked))
    await until(lambda: bench.registry.all() and bench.worker().server_pid)
    worker = bench.worker()
    os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(errors.EngineUnavailable, match="worker process is gone"):
        await loading
    await until(lambda: dead(worker.server_pid))


async def test_a_program_that_is_not_there(bench: Bench, tiny_model: Path) -> None:
    with pytest.raises(errors.EngineUnavailable, match="runtime"):
        await bench.nitro.load(model(tiny_model, runtime="vllm"))
    with pytest.raises(errors.BadRequest, match=r"names a program to run \(runtime_path\)"):
        await bench.nitro.load(model(tiny_model, runtime_path=sys.executable))
    bench.nitro.options = replace(bench.nitro.options, settings={"runtime_path": "/nowhere"})
    with pytest.raises(errors.EngineUnavailable, match="at /nowhere"):
        await bench.nitro.load(model(tiny_model))


async def test_no_file(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(errors.ModelNotReady, match=r"gone\.gguf cannot be read"):
        await bench.nitro.load(model(tmp_path / "gone.gguf"))


# Answering ----------------------------------------------------------------------------------------


async def test_closing_the_iterator_stops_the_generation(
    bench: Bench, slow_model: Path, runtime: Runtime
) -> None:
    asked = model(slow_model, ctx_len=8192, **runtime)
    async with aclosing(bench.nitro.chat(asked, endless())) as deltas:
        await anext(deltas)
        await until(lambda: bench.working() == 1)
    await until(lambda: bench.working() == 0, seconds=5)


async def test_one_slot_answers_in_order_and_the_wait_is_told(
    bench: Bench, slow_model: Path
) -> None:
    asked = model(slow_model, ctx_len=8192)
    done: list[int] = []

    async def ask(number: int) -> None:
        *_, last = await answer(bench.nitro, asked, short(f"number {number}"))
        assert last.timings is not None
        assert last.timings.queue is not None
        done.append(number)

    line: list[asyncio.Task[None]] = []
    async with aclosing(bench.nitro.chat(asked, endless())) as deltas:
        await anext(deltas)  # the slot is taken until all stand in line
        for place in (1, 2, 3):
            line.append(asyncio.create_task(ask(place)))
            await until(lambda place=place: len(bench.told("queued")) == place)  # type: ignore[misc]
    await asyncio.gather(*line)
    assert done == [1, 2, 3]
    waits = [event for event in bench.events if event.state == "queued"]
    assert waits[:3] == [
        Event("queued", "slow", "nitro", None, f"slow: {place} in line.") for place in (1, 2, 3)
    ]


async def test_a_cancelled_wait_leaves_the_line(bench: Bench, slow_model: Path) -> None:
    asked = model(slow_model, ctx_len=8192)
    async with aclosing(bench.nitro.chat(asked, endless())) as deltas:
        await anext(deltas)
        waiting = asyncio.create_task(answer(bench.nitro, asked, short()))
        await until(lambda: bench.told("queued"))
        waiting.cancel()
        await asyncio.wait([waiting])
    assert await answer(bench.nitro, asked, short())


async def test_four_slots_answer_at_once(
    bench: Bench, slow_model: Path, own_server: Runtime
) -> None:
    asked = model(slow_model, ctx_len=4 * 8192, n_parallel=4, **own_server)
    tasks = [asyncio.create_task(answer(bench.nitro, asked, endless())) for _ in range(4)]
    await until(bench.registry.all)
    await until(lambda: bench.worker().state == "ready" and bench.working() == 4)
    assert not bench.told("queued")
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await until(lambda: bench.working() == 0)


async def test_how_far_a_prompt_is_read_is_told(
    bench: Bench, tiny_model: Path, own_server: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nitro, "QUIET_SECONDS", 0.0)
    asked = model(tiny_model, ctx_len=2048, **own_server)
    deltas = await answer(bench.nitro, asked, short(tokens(1800)))
    assert deltas[-1].usage is not None
    read = [event for event in bench.events if event.state == "reading"]
    shares = [event.progress for event in read]
    assert len(shares) == deltas[-1].usage.prompt // 512  # after each step but the last
    assert shares == sorted(shares, key=lambda share: share or 0.0)
    assert f" of {deltas[-1].usage.prompt:,} tokens, 0 s left …" in read[-1].awaited


# Memory -------------------------------------------------------------------------------------------


async def test_room_is_made_by_the_least_recently_used_that_is_idle(
    bench: Bench, tiny_model: Path, slow_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = model(slow_model, ctx_len=8192)
    idle, new = model(tiny_model, ctx_len=256), model(tiny_model, ctx_len=1024)
    async with aclosing(bench.nitro.chat(busy, endless())) as deltas:
        await anext(deltas)
        answering = bench.worker()
        await answer(bench.nitro, idle, short())
        (evicted,) = {w for w in bench.registry.all() if w.key != answering.key}
        held = sum(process.resident(w.server_pid)[1] for w in (answering, evicted))
        need = bench.nitro.spec(new).launch().memory
        monkeypatch.setattr(registry, "memory", lambda: (held + need - 10**6, 10**12))
        await bench.nitro.load(new)
        assert dead(evicted.pid)
        assert await anext(deltas)
    assert bench.told("loading") == ["tiny is unloaded to make room for tiny."]


async def test_what_can_never_fit_is_refused_with_numbers(
    bench: Bench, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "memory", lambda: (10**8, 2 * 10**8))
    with pytest.raises(errors.EngineUnavailable, match=r"about 3\d\d MB, .* has 200 MB.*ctx_len"):
        await bench.nitro.load(model(tiny_model))
    monkeypatch.setattr(registry, "memory", lambda: (10**8, 10**9))
    await bench.nitro.load(model(tiny_model))
    (told,) = bench.told("loading")
    assert re.fullmatch(r"tiny needs about 3\d\d MB, 100 MB are free: it may be slow\.", told)


# Secrets ------------------------------------------------------------------------------------------


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks into /proc")
async def test_the_secret_stays_where_it_belongs(
    bench: Bench, tiny_model: Path, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "sk-canary")
    await answer(bench.nitro, model(tiny_model, **runtime), short())
    worker = bench.worker()
    for pid in (worker.pid, worker.server_pid):
        folder = Path(f"/proc/{pid}")
        assert worker.secret.encode() not in (folder / "cmdline").read_bytes()
        assert b"sk-canary" not in (folder / "environ").read_bytes()
    assert worker.secret not in bench.registry.log(worker.key)
    assert worker.secret not in repr(worker)
    for file in bench.registry.folder.iterdir():
        assert file.stat().st_mode & 0o077 == 0
    assert bench.registry.folder.stat().st_mode & 0o077 == 0
    status, _ = await asyncio.to_thread(process.ask, worker.port, "/props")
    assert status == 401


# Astray -------------------------------------------------------------------------------------------

EATS = """
import http.server, os, sys, threading

class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'[{"is_processing": false, "id_task": -1}]')
    def log_message(self, *_):
        pass

def serve():
    http.server.HTTPServer(("127.0.0.1", int(sys.argv[-1])), Server).serve_forever()

if sys.argv[1] == "1":
    threading.Thread(target=serve, daemon=True).start()
kept = []
while len(kept) < 40:
    kept.append(os.urandom(2 * 10**7))
threading.Event().wait()
"""

ASTRAY = {"type": "string", "minLength": 5, "maxLength": 2}
"""Past the check of a face: llama.cpp's grammar builder takes all memory for it."""


@pytest.mark.skipif(not process.LINUX, reason="elsewhere its memory is looked at")
async def test_a_server_that_goes_astray_dies_alone_and_once(
    bench: Bench, tiny_model: Path
) -> None:
    import resource

    asked = model(tiny_model)
    await bench.nitro.load(asked)
    worker = bench.worker()
    ceiling, _ = resource.prlimit(worker.server_pid, resource.RLIMIT_DATA)
    assert 2 * 10**9 < ceiling < 6 * 10**9
    limit = process.resident(worker.server_pid)[0] + 3 * 10**8
    resource.prlimit(worker.server_pid, resource.RLIMIT_DATA, (limit, limit))
    with pytest.raises((errors.BadRequest, errors.WorkerDied)):
        await answer(bench.nitro, asked, replace(short(), schema=ASTRAY))
    assert [w.pid for w in bench.registry.all() if w.alive] in ([], [worker.pid])


@pytest.mark.skipif(not process.LINUX, reason="elsewhere its memory is looked at")
async def test_many_threads_are_below_the_ceiling(
    bench: Bench, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where each thread's stack is set to be huge, as on machines for computing."""
    import resource

    monkeypatch.setenv("OMP_STACKSIZE", "256M")
    before, hard = resource.getrlimit(resource.RLIMIT_STACK)
    asked = model(tiny_model, cpu_threads=64, n_parallel=8, embedding=True)
    try:
        resource.setrlimit(resource.RLIMIT_STACK, (2**28, hard))
        await bench.nitro.load(asked)
    finally:
        resource.setrlimit(resource.RLIMIT_STACK, (before, hard))
    assert await answer(bench.nitro, asked, short("word " * 30, tokens=2))
    server = psutil.Process(bench.worker().server_pid)
    assert server.num_threads() > 64
    limit, _ = server.rlimit(psutil.RLIMIT_DATA)
    assert limit < 6 * 10**9


@pytest.mark.parametrize("ready", [False, True])
async def test_where_memory_is_looked_at_there_is_a_ceiling_too(
    bench: Bench, tmp_path: Path, ready: bool
) -> None:
    """As with a GPU, whose runtime reserves more than it takes: a server that eats, real memory."""
    server = tmp_path / "eats.py"
    server.write_text(EATS)
    launch = workers.Launch(
        "test", (sys.executable, str(server), str(int(ready))), ceiling=3 * 10**8, watched=True
    )
    files = (workers.ModelFile.of(server),)
    spec = workers.WorkerSpec("m", "nitro", files, {"ready": ready}, lambda: launch)
    pool = Workers(lambda: bench.registry.folder.parent)
    try:
        worker = await pool.ensure(spec, lambda *_: None)
        await until(lambda: dead(worker.server_pid))
        failure = await pool.why(worker)
    except workers.WorkerFailed as error:
        failure = error
    assert "out of memory: it took" in failure.log


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no signal stops a process here")
async def test_a_server_that_says_nothing_any_more_is_ended(bench: Bench, slow_model: Path) -> None:
    asked = model(slow_model, ctx_len=8192)
    async with aclosing(bench.nitro.chat(asked, endless())) as deltas:
        await anext(deltas)
        worker = bench.worker()
        os.kill(worker.server_pid, signal.SIGSTOP)
    await until(lambda: dead(worker.server_pid), process.SILENT_SECONDS + 20)
    assert await answer(bench.nitro, asked, short(tokens=2))


async def test_one_worker_embeds_short_and_long_texts(
    bench: Bench, tiny_model: Path, own_server: dict[str, Any]
) -> None:
    """It is another than the one that chats, whose steps are small, so that it can be stopped."""
    asked = model(tiny_model, ctx_len=2048, **own_server)
    assert await answer(bench.nitro, asked, short())
    chats = bench.worker()
    for text in ("word", "word " * 300, "word"):
        vectors = await bench.nitro.embed(asked, [text], {})
        assert len(vectors[0]) == 64
        assert len(bench.registry.all()) == 2
    assert chats.pid in [worker.pid for worker in bench.registry.all()]


async def test_a_model_made_to_embed_has_one_worker(bench: Bench, tmp_path: Path) -> None:
    """Loaded or asked, for short and long; it makes a vector of a text as it has learnt to."""
    by_mean = model(write_embedder(tmp_path / "mean.gguf", pooling=1), ctx_len=2048)
    by_first = model(write_embedder(tmp_path / "first.gguf", pooling=2), ctx_len=2048)
    found: list[Sequence[float]] = []
    for asked in (by_mean, by_first):
        await bench.nitro.load(asked)
        worker = bench.worker()
        for text in ("a b c", "a b c " * 600, "a b c"):
            found += await bench.nitro.embed(asked, [text], {})
        assert bench.worker().pid == worker.pid
        await bench.nitro.unload(asked)
    assert found[0] == pytest.approx(found[2], abs=1e-4)
    assert found[0] != pytest.approx(found[3], abs=1e-2)


async def test_who_is_on_the_way_to_a_worker_finds_it(bench: Bench, tiny_model: Path) -> None:
    """Settings that change meanwhile are no reason to end it."""
    async with bench.nitro._place(model(tiny_model, ctx_len=256), None) as (worker, *_):
        await bench.nitro.load(model(tiny_model, ctx_len=512))
        assert worker.alive
    asked = [model(tiny_model, ctx_len=context) for context in (256, 512, 768)]
    assert all(await asyncio.gather(*(answer(bench.nitro, each, short()) for each in asked)))


async def test_a_full_disk_ends_no_worker(bench: Bench, tiny_model: Path) -> None:
    asked = model(tiny_model, keep_alive=0.3)
    await bench.nitro.load(asked)
    worker = bench.worker()
    # Nothing can be written in its place, by root neither.
    (bench.registry.folder / f"{worker.key}.json.{worker.pid}.tmp").mkdir()
    assert await answer(bench.nitro, asked, short())
    await until(lambda: bench.registry.look(worker.key) is None)  # it left, it did not die
