"""What the runtime llama-cpp-python adds to the behaviour that all runtimes share."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jan_jupyter import errors
from jan_jupyter.engine_options.engine_rows import DATA
from jan_jupyter.engines.local import llama_options
from jan_jupyter.types import ChatRequest, Delta, Message, Usage
from nitro.bench import Bench, answer, endless, model, short, until
from support.random_model import write_model

MINI = DATA / "models/jan-mini/jan-mini.gguf"
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
PYTHON = {"runtime": "llama-cpp-python"}

slow = pytest.mark.slow  # it has to be compiled


def asking(*texts: str, **more: Any) -> ChatRequest:
    messages = [Message("assistant" if i % 2 else "user", text) for i, text in enumerate(texts)]
    return ChatRequest(messages, {"temperature": 0, "max_tokens": 120}, **more)


def text(deltas: Sequence[Delta]) -> str:
    return "".join(delta.text for delta in deltas)


def usage(deltas: Sequence[Delta]) -> Usage:
    found = deltas[-1].usage
    assert found is not None
    return found


@slow
async def test_the_same_text_and_the_same_count_as_llama_cpps_server(bench: Bench) -> None:
    prompts = ("hello", "count to ten", "Grüße! Why is the sky blue?", "Tell me a story", "2 + 5?")
    for prompt in prompts:
        ours, theirs = [
            await answer(bench.nitro, model(MINI, ctx_len=2048, runtime=name), asking(prompt))
            for name in ("llama-cpp-python", "xllamacpp")
        ]
        assert text(ours) == text(theirs)
        assert replace(usage(ours), cached=0) == replace(usage(theirs), cached=0)
        assert ours[-1].finish == theirs[-1].finish


@slow
async def test_the_last_conversation_is_not_read_again(bench: Bench) -> None:
    asked = model(MINI, ctx_len=2048, **PYTHON)
    first = await answer(bench.nitro, asked, asking("Hi, my name is Theo."))
    assert usage(first).cached == 0
    second = await answer(bench.nitro, asked, asking("Hi, my name is Theo.", text(first), "Who?"))
    assert usage(second).cached >= usage(first).prompt + usage(first).completion - 1
    forgetful = model(MINI, ctx_len=2048, caching_enabled=False, **PYTHON)
    for _ in range(2):
        assert usage(await answer(bench.nitro, forgetful, asking("Hi"))).cached == 0


@slow
async def test_it_stops_while_it_reads_a_long_prompt(bench: Bench, tmp_path: Path) -> None:
    file = write_model(
        tmp_path / "deep.gguf", width=512, layers=8, inner=2048, heads=8, context=100_000
    )
    asked = model(file, ctx_len=8192, n_batch=2048, cpu_threads=1, **PYTHON)
    await bench.nitro.load(asked)
    request = short("many words " * 300)  # some seconds of reading
    reading = asyncio.create_task(answer(bench.nitro, asked, request))
    await until(lambda: bench.working() == 1)
    reading.cancel()
    await asyncio.wait([reading])
    began = time.monotonic()
    await until(lambda: bench.working() == 0)
    stopped = time.monotonic() - began
    whole = time.monotonic()
    await answer(bench.nitro, asked, request)
    assert stopped < (time.monotonic() - whole) / 2
    assert await answer(bench.nitro, asked, short())


@slow
async def test_answers_bound_to_a_schema_or_a_grammar(bench: Bench) -> None:
    asked = model(MINI, ctx_len=2048, **PYTHON)
    bound = await answer(bench.nitro, asked, asking("hi", schema=SCHEMA))
    assert isinstance(json.loads(text(bound))["a"], int)
    grammar = {"grammar": 'root ::= "yes" | "no"'}
    assert text(await answer(bench.nitro, asked, asking("hi", extra=grammar))) in ("yes", "no")
    for wrong in ({"grammar": "root := oops"}, {"response_format": {"type": "yaml"}}):
        with pytest.raises(errors.BadRequest):
            await answer(bench.nitro, asked, asking("hi", extra=wrong))
    assert text(await answer(bench.nitro, asked, asking("hello"))).startswith("Hello!")


@slow
async def test_it_embeds_and_chats(bench: Bench) -> None:
    asked = model(MINI, ctx_len=2048, **PYTHON)
    found = await bench.nitro.embed(asked, ["A cat.", "A dog.", "A cat."], {})
    one, other, again = found.vectors
    assert one == pytest.approx(again)
    assert one != pytest.approx(other, abs=1e-3)
    assert sum(x * x for x in one) == pytest.approx(1)
    theirs = await bench.nitro.embed(model(MINI, ctx_len=2048), ["A cat."], {})
    assert one == pytest.approx(theirs.vectors[0], abs=1e-2)
    embeds = replace(asked, settings={**asked.settings, "embedding": True})
    assert text(await answer(bench.nitro, embeds, asking("hello"))).startswith("Hello!")


@slow
async def test_settings_arrive_and_the_others_are_told(bench: Bench, tiny_model: Path) -> None:
    template = "<|sys|>{system_message}<|user|>{prompt}<|bot|>"
    given = {"n_parallel": 2, "cache_type_k": "f32", "flash_attn": "on", "no_mmap": True}
    asked = model(tiny_model, prompt_template=template, **given, **PYTHON)
    plain = await answer(bench.nitro, model(tiny_model, **PYTHON), short())
    deltas = await answer(bench.nitro, asked, short())
    assert usage(deltas).prompt > usage(plain).prompt
    assert "llama-cpp-python does not know n_parallel" in bench.told("loading")
    assert {worker.slots for worker in bench.registry.all()} == {1}


@slow
async def test_processes_queue_at_the_worker(bench: Bench, slow_model: Path) -> None:
    """Each process has its own line; the worker answers one at a time all the same."""
    asked = model(slow_model, ctx_len=8192, **PYTHON)
    async with aclosing(bench.nitro.chat(asked, endless())) as deltas:
        await anext(deltas)
        other = bench.client(slow_model, dict(asked.settings), "chat")
        await asyncio.sleep(1.0)
        assert other.poll() is None
    out, _ = await asyncio.to_thread(other.communicate)
    assert json.loads(out)["pids"] == [bench.worker().server_pid]


def test_what_llama_cpp_python_is_told() -> None:
    options, _ = llama_options.read_settings(
        {
            "ctx_len": 64,
            "ngl": 0,
            "cpu_threads": 2,
            "cache_type": "q8_0",
            "mlock": True,
            "flash_attn": "auto",
            "no_kv_offload": True,
            "n_parallel": 4,
            "ctx_shift": True,
            "cont_batching": True,
            "rope_scaling": "yarn",
            "caching_enabled": False,
        }
    )
    keywords, unknown = llama_options.llama_cpp_input(Path("m.gguf"), options)
    assert keywords == {
        "model_path": "m.gguf",
        "n_ctx": 64,
        "n_gpu_layers": 0,
        "cache_prompt": False,
        "n_threads": 2,
        "n_threads_batch": 2,
        "offload_kqv": False,
        "type_k": "GGML_TYPE_Q8_0",
        "type_v": "GGML_TYPE_Q8_0",
        "use_mmap": True,
        "use_mlock": True,
        "rope_scaling_type": "LLAMA_ROPE_SCALING_TYPE_YARN",
    }
    assert unknown == ["n_parallel", "ctx_shift"]


@slow
def test_llama_cpp_has_every_keyword_and_constant() -> None:
    import inspect

    import llama_cpp

    from jan_jupyter.engines.local.serve_llama_cpp import _constant

    known = {*inspect.signature(llama_cpp.Llama.__init__).parameters}
    of_ours = {"chat_template", "cache_prompt"}
    assert {*llama_options._KEYWORDS.values()} - of_ours <= known
    assert {"n_threads", "n_threads_batch", "offload_kqv", "flash_attn", "use_mmap"} <= known
    for name in llama_options._KEYWORDS:
        for constant in llama_options.TABLE[name].choices.values():
            assert isinstance(_constant(constant), int)
