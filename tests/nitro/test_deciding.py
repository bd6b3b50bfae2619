"""What nitro decides, without a process: whom to evict, what settings mean, what a log says."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import xllamacpp
from hypothesis import given
from hypothesis import strategies as st

from jan_jupyter import errors, programs
from jan_jupyter.engine_options.options import EngineOptions
from jan_jupyter.engines import nitro
from jan_jupyter.engines.intel_bigdl import IntelBigdl
from jan_jupyter.engines.local import (
    llama_help,
    llama_options,
    runtimes,
)
from jan_jupyter.engines.local import (
    supervisor as worker,
)
from jan_jupyter.engines.local.registry import Held, Registry, to_evict
from jan_jupyter.engines.local.room import Room
from jan_jupyter.engines.local.worker import FOR_EVER, Launch, ModelFile, WorkerSpec
from jan_jupyter.engines.local.xllamacpp_server import set_attribute
from jan_jupyter.engines.nitro import Nitro, ceiling, decisive
from jan_jupyter.engines.openai import OpenAI
from jan_jupyter.models import gguf, machine
from jan_jupyter.models.gguf import GGUFHeader
from jan_jupyter.models.model import Model
from jan_jupyter.settings import Jan
from jan_jupyter.types import ChatRequest, Delta, Message
from jan_jupyter.wire.sse import ServerEvent

# Whom to evict ------------------------------------------------------------------------------------

OLD = Held("old", 2, used=1, busy=False)
MIDDLE = Held("middle", 3, used=2, busy=False)
NEW = Held("new", 8, used=3, busy=False)
WORKING = Held("working", 50, used=0, busy=True)


@pytest.mark.parametrize(
    ("need", "available", "running", "victims"),
    [
        (5, 5, [OLD, NEW], []),
        (6, 5, [NEW, OLD], ["old"]),
        (9, 5, [OLD, MIDDLE, NEW], ["old", "middle"]),
        (12, 5, [OLD, MIDDLE, NEW], ["new"]),
        (14, 5, [OLD, MIDDLE, NEW], ["old", "new"]),
        (18, 5, [OLD, MIDDLE, NEW], ["old", "middle", "new"]),
        (19, 5, [OLD, MIDDLE, NEW], []),
        (6, 5, [WORKING], []),
        (6, 5, [WORKING, NEW], ["new"]),
        (6, -3, [NEW, OLD], ["old", "new"]),
        (6, 5, [], []),
    ],
)
def test_whom_to_evict(need: int, available: int, running: list[Held], victims: list[str]) -> None:
    assert to_evict(need, available, running) == victims


@given(
    st.integers(0, 100),
    st.integers(-20, 100),
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 9), st.booleans()), max_size=8),
)
def test_eviction_helps_and_wastes_nothing(
    need: int, available: int, given: list[tuple[int, int, bool]]
) -> None:
    running = {str(i): Held(str(i), *row) for i, row in enumerate(given)}
    victims = [running[key] for key in to_evict(need, available, running.values())]
    assert not any(victim.busy for victim in victims)
    freed = sum(victim.memory for victim in victims)
    idle = sum(held.memory for held in running.values() if not held.busy)
    if victims:
        assert available < need <= available + freed
        assert all(need > available + freed - victim.memory for victim in victims)
    else:
        assert need <= available or need > available + idle


def test_memory_is_bounded_by_every_group_above_us(tmp_path: Path) -> None:
    def group(path: str, **files: str) -> None:
        folder = tmp_path / "cgroup" / path
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name.replace("__", ".")).write_text(content)

    group("a", memory__max="1000\n", memory__current="700\n", memory__stat="inactive_file 200\n")
    group("a/b", memory__max="max\n", memory__current="10\n", memory__stat="inactive_file 0\n")
    v1 = {"memory__limit_in_bytes": "2000", "memory__usage_in_bytes": "90"}
    group("memory/c", **v1, memory__stat="cache 1\ntotal_inactive_file 40\n")
    membership = tmp_path / "membership"
    membership.write_text("4:cpu,cpuacct:/x\n3:memory:/c\n0::/a/b\n")
    limits = [*machine.cgroup_limits(membership, tmp_path / "cgroup")]
    assert limits == [(2000, 50), (1000, 500)]
    available, total = machine.memory()
    assert 0 < available <= total


def test_each_thread_has_room_for_its_stack() -> None:
    """llama.cpp has one for each processor that computes, and as many that take requests."""
    header = GGUFHeader(version=3, size=10**9, vocabulary=32_000)

    def limit(processors: int, **options: Any) -> int:
        return ceiling(10**9, header, {"n_parallel": 1, "cache_ram": 512, **options}, processors)

    stacks = limit(128) - limit(2)
    assert stacks >= 2 * (128 - 2) * worker.STACK
    assert limit(2, cpu_threads=128) == limit(128) == limit(128, cpu_threads=4)
    assert limit(2, n_parallel=128) == limit(128)
    assert limit(2) < 2 * 10**9 + 3 * 10**9
    assert limit(128, cache_ram=-1) == 0


# What settings mean -------------------------------------------------------------------------------


FLASH = "LLAMA_FLASH_ATTN_TYPE_ENABLED"


@pytest.mark.parametrize(
    ("settings", "attributes", "arguments"),
    [
        ({"ctx_len": "2048"}, {"n_ctx": 2048}, "--ctx-size 2048"),
        ({"ctx_len": 0}, {}, ""),
        ({"ngl": 0}, {"n_gpu_layers": 0}, "--n-gpu-layers 0"),
        ({"n_parallel": 4}, {"n_parallel": 4}, "--parallel 4"),
        ({"kv_unified": "on"}, {"kv_unified": True}, "--kv-unified"),
        ({"cpu_threads": 2.0}, {"cpuparams.n_threads": 2}, "--threads 2"),
        ({"threads": 3}, {"cpuparams.n_threads": 3}, "--threads 3"),
        ({"cont_batching": "false"}, {"cont_batching": False}, "--no-cont-batching"),
        ({"embedding": True}, {"embedding": True}, ""),
        ({"pooling": "CLS"}, {"pooling_type": "LLAMA_POOLING_TYPE_CLS"}, ""),
        ({"embedding": True, "only_embeds": True}, {"embedding": True}, "--embeddings"),
        ({"embedding": False}, {"embedding": False}, ""),
        ({"flash_attn": True}, {"flash_attn_type": FLASH}, "--flash-attn on"),
        (
            {"cache_type": "Q8_0"},
            {"cache_type_k": "GGML_TYPE_Q8_0", "cache_type_v": "GGML_TYPE_Q8_0"},
            "--cache-type-k q8_0 --cache-type-v q8_0",
        ),
        ({"no_mmap": True}, {"load_mode": "LLAMA_LOAD_MODE_NONE"}, "--load-mode none"),
        ({"use_mmap": False}, {"load_mode": "LLAMA_LOAD_MODE_NONE"}, "--load-mode none"),
        ({"mlock": True}, {"load_mode": "LLAMA_LOAD_MODE_MMAP_MLOCK"}, "--load-mode mmap+mlock"),
        ({"caching_enabled": False}, {"cache_prompt": False}, "--no-cache-prompt"),
        ({"rope_freq_base": "1e6"}, {"rope_freq_base": 1e6}, "--rope-freq-base 1000000.0"),
        ({"text_model": True, "llama_model_path": "x"}, {}, ""),
        ({"swa_full": True}, {"swa_full": True}, "--swa-full"),
        (
            {"reasoning_budget": "0"},
            {"sampling.reasoning_budget_tokens": 0},
            "--reasoning-budget 0",
        ),
        (
            {"tensor_split": "3/1.5"},
            {"tensor_split": [3.0, 1.5] + [0.0] * 126},
            "--tensor-split 3,1.5",
        ),
        ({"tensor_split": [1, 2]}, {"tensor_split": [1, 2] + [0] * 126}, "--tensor-split 1,2"),
        (
            {"n_cpu_moe": 2},
            {
                "tensor_buft_overrides": r"blk\.0\.ffn_(up|down|gate|gate_up)_(ch|)exps=CPU,"
                r"blk\.1\.ffn_(up|down|gate|gate_up)_(ch|)exps=CPU"
            },
            "--n-cpu-moe 2",
        ),
        ({"load_mode": "dio"}, {"load_mode": "LLAMA_LOAD_MODE_DIRECT_IO"}, "--load-mode dio"),
        ({"lora": "/a"}, {"lora_adapters": ["/a"]}, "--lora /a"),
        ({"lora": ["/a", "/b"]}, {"lora_adapters": ["/a", "/b"]}, "--lora /a --lora /b"),
    ],
)
def test_a_setting_in_both_runtimes(
    settings: dict[str, Any], attributes: dict[str, Any], arguments: str
) -> None:
    options, left_out = llama_options.read_settings(settings)
    assert left_out == []
    always: dict[str, Any] = {"n_parallel": 1, "cache_ram_mib": 512}
    common = llama_options.xllamacpp_input(Path("m"), {})
    expected = {**common, **always, **attributes}
    assert llama_options.xllamacpp_input(Path("m"), options) == expected
    start, *_ = llama_options.llama_server_arguments(Path("m"), {})
    line, environment, _ = llama_options.llama_server_arguments(Path("m"), options)
    line = line[len(start) :]
    if "n_parallel" not in settings:
        line = line[2:]
    assert " ".join(line) == arguments
    assert environment == {"LLAMA_ARG_CACHE_RAM": "512"}


@pytest.mark.parametrize(
    "settings",
    [
        {"wibble": 1},
        {"n_parallel": -1},
        {"ngl": "many"},
        {"ngl": 1.5},
        {"ngl": True},
        {"cont_batching": "perhaps"},
        {"cache_type_k": "q9"},
        {"rope_freq_base": []},
        {"tensor_split": "all"},
        {"tensor_split": [1] * 129},
        {"n_cpu_moe": -1},
        {"reasoning_budget": -2},
        {"lora": 5},
        {"lora": []},
    ],
)
def test_what_is_left_out_is_named(settings: dict[str, Any]) -> None:
    options, left_out = llama_options.read_settings(settings)
    assert options == llama_options.DEFAULTS
    assert [line.split()[0].split("=")[0] for line in left_out] == [*settings]


EXAMPLES = {int: 3, bool: True, float: 0.5, str: "text"}


@pytest.mark.parametrize(
    "name", [n for n, row in llama_options.TABLE.items() if row.attribute and n != "lora"]
)
def test_xllamacpp_has_every_attribute_and_choice(name: str) -> None:
    row = llama_options.TABLE[name]
    parameters: Any = xllamacpp.CommonParams()
    target, _, last = row.attribute.rpartition(".")
    holder = getattr(parameters, target) if target else parameters
    kind = type(getattr(holder, last))
    values: list[object] = [*row.choices.values()] or [EXAMPLES.get(kind)]
    if row.as_attribute:
        values = [row.as_attribute([1.0, 2.0] if kind is list else 2)]
    for value in values:
        set_attribute(parameters, row.attribute, value)
        found = getattr(getattr(parameters, target) if target else parameters, last)
        assert (found.name if row.choices else found) == value


def test_adapters_are_told_to_each_program() -> None:
    parameters: Any = xllamacpp.CommonParams()
    set_attribute(parameters, "lora_adapters", ["/a", "/b"])
    assert [(one.path, one.scale) for one in parameters.lora_adapters] == [("/a", 1), ("/b", 1)]
    found, unknown = llama_options.llama_cpp_input(Path("m"), {"lora": ["/a"]})
    assert (found["lora_path"], unknown) == ("/a", [])
    assert llama_options.llama_cpp_input(Path("m"), {"lora": ["/a", "/b"]})[1] == ["lora"]


def test_what_each_machine_would_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def program(path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(0o755)
        return path

    jan = program(tmp_path / "jan/llamacpp/backends/b5509/linux-cuda/build/bin/llama-server")
    on_path = program(tmp_path / "bin/llama-server")
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))

    def choose(wanted: str = "", path: str = "", gpu: str = "") -> runtimes.Runtime:
        monkeypatch.setattr(runtimes, "gpu_here", lambda: bool(gpu))
        return runtimes.choose(
            wanted, path, [tmp_path / "jan"], lambda found: gpu in str(found.binary)
        )

    assert choose() == runtimes.Runtime("xllamacpp")
    assert choose(gpu="cuda") == runtimes.Runtime("llama-server", jan)
    assert choose(gpu="nothing like it") == runtimes.Runtime("xllamacpp")
    assert choose("llama_server") == runtimes.Runtime("llama-server", jan)
    monkeypatch.setenv("PATH", str(on_path.parent))
    assert choose("llama-server") == runtimes.Runtime("llama-server", on_path)
    assert choose(path=str(jan)) == runtimes.Runtime("llama-server", jan)
    assert choose("xllamacpp", str(jan)) == runtimes.Runtime("xllamacpp")
    with pytest.raises(errors.EngineUnavailable, match="runtime_path"):
        choose("llama-server", "/nowhere")

    installed = {"llama_cpp"}
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: name if name in installed else None
    )
    assert choose("llama_cpp_python") == runtimes.Runtime("llama-cpp-python")
    assert choose().name == "llama-server"  # the last resort is the one without an own server
    installed.clear()
    with pytest.raises(errors.EngineUnavailable, match=r"jan-jupyter\[llama-cpp-python\]"):
        choose("llama-cpp-python")


def test_a_runtime_is_asked_for_its_devices(tmp_path: Path) -> None:
    def server(says: str) -> runtimes.Runtime:
        program = tmp_path / f"server{len(says)}"
        program.write_text(f"#!/bin/sh\nprintf '{says}'\n")
        program.chmod(0o755)
        return runtimes.Runtime("llama-server", program)

    assert runtimes.uses_gpu(server("Available devices:\\n  CUDA0: one (80000 MiB)\\n"))
    assert not runtimes.uses_gpu(server("Available devices:\\n"))
    assert not runtimes.uses_gpu(runtimes.Runtime("llama-server", tmp_path / "none"))
    only_cpu = all(device["type"].name.endswith("_CPU") for device in xllamacpp.get_device_info())
    assert runtimes.uses_gpu(runtimes.Runtime("xllamacpp")) is not only_cpu


def test_pre_prompt_stands_before_everything() -> None:
    model = Model("m", "", "nitro", "ready", "bare", Path(), {"pre_prompt": "Be kind. "})
    nitro = Nitro(EngineOptions("nitro", "nitro"))

    def contents(*messages: Message) -> list[tuple[str, str]]:
        body = nitro.body(model, ChatRequest(messages))
        return [(message["role"], message["content"]) for message in body["messages"]]

    system, user = Message("system", "Be short."), Message("user", "hi")
    assert contents(user) == [("system", "Be kind. "), ("user", "hi")]
    assert contents(system, user) == [("system", "Be kind. Be short."), ("user", "hi")]


# A llama-server of any age ------------------------------------------------------------------------

TODAY = """usage: llama-server [options]

----- common params -----

-h,    --help, --usage                  print usage and exit
-t,    --threads N                      number of CPU threads to use during generation
-kvu,  --kv-unified, -no-kvu, --no-kv-unified
                                        use single unified KV buffer shared across all sequences
-fa,   --flash-attn [on|off|auto]       set Flash Attention use (--mlock has nothing to do with it)
-lm,   --load-mode MODE                 how to load the model
--draft, --draft-n, --draft-max N       the argument has been removed. use --spec-draft-n-max or
                                        --spec-ngram-mod-n-max
--no-ui, --no-webui                     do not serve the page
"""
LONG_AGO = """usage: ./llama-server [options]

  -t,    --threads N              number of threads to use during generation
  -fa,   --flash-attn             enable Flash Attention (default: disabled)
         --mlock                  not read: it stands too far to the right
  --mlock                         force system to keep model in RAM
  --no-mmap                       do not memory-map model
"""


def test_what_a_help_text_says() -> None:
    today = llama_help.read_help(TODAY)
    assert today["--flash-attn"]
    assert today["--load-mode"]
    assert not today["--kv-unified"]
    assert {"-t", "--threads", "--no-kv-unified", "--no-ui"} <= today.keys()
    assert not {"--mlock", "--draft-max", "--spec-ngram-mod-n-max"} & today.keys()
    long_ago = llama_help.read_help(LONG_AGO)
    assert long_ago == {
        "-t": True,
        "--threads": True,
        "-fa": False,
        "--flash-attn": False,
        "--mlock": False,
        "--no-mmap": False,
    }


@pytest.mark.parametrize(
    ("settings", "today", "long_ago", "unknown"),
    [
        ({"load_mode": "none"}, "--load-mode none", "--no-mmap", []),
        ({"mlock": True}, "--load-mode mmap+mlock", "--mlock", []),
        ({"load_mode": "mmap"}, "--load-mode mmap", "", []),
        ({"flash_attn": "on"}, "--flash-attn on", "--flash-attn", []),
        ({"flash_attn": "off"}, "--flash-attn off", "", []),
        ({"kv_unified": True}, "--kv-unified", "", ["kv_unified"]),
        ({"cpu_threads": 3}, "--threads 3", "--threads 3", []),
    ],
)
def test_each_version_is_told_what_it_knows(
    settings: dict[str, Any], today: str, long_ago: str, unknown: list[str]
) -> None:
    options, _ = llama_options.read_settings(settings)
    options = {name: options[name] for name in options.keys() - llama_options.DEFAULTS.keys()}
    for text, expected, left_out in ((TODAY, today, []), (LONG_AGO, long_ago, unknown)):
        flags = llama_help.read_help(text)
        line, _, found = llama_options.llama_server_arguments(Path("m"), options, flags)
        always, *_ = llama_options.llama_server_arguments(Path("m"), {}, flags)
        assert " ".join(line[len(always) :]) == expected
        assert found == left_out
    assert always == ["--model", "m", "--host", "127.0.0.1"]


def test_a_program_is_asked_once_a_version(tmp_path: Path) -> None:
    program, asked = tmp_path / "llama-server", tmp_path / "asked"
    program.write_text(f"#!/bin/sh\necho $* >> {asked}\necho '-t, --threads N  threads'\n")
    program.chmod(0o755)
    for _ in range(3):
        assert llama_help.flags_of(program) == {"-t": True, "--threads": True}
    assert asked.read_text() == "--help\n"
    os.utime(program, (1, 1))
    assert llama_help.flags_of(program)
    assert asked.read_text() == "--help\n" * 2
    program.write_text("#!/bin/sh\nexit 1\n")
    assert llama_help.flags_of(program) is None
    assert llama_help.flags_of(tmp_path / "none") is None


# How far a prompt is read -------------------------------------------------------------------------


def test_progress_is_told_once_a_prompt_has_taken_a_second() -> None:
    told: list[tuple[float, str]] = []
    parser = nitro.ProgressParser(1, lambda share, message: told.append((share, message)))

    def read(processed: int, time_ms: int) -> object:
        progress = {"total": 4000, "cache": 1000, "processed": processed, "time_ms": time_ms}
        begun = [{"index": 0, "delta": {"role": "assistant", "content": None}}]
        chunk = {"choices": begun, "prompt_progress": progress}
        return parser.parse(ServerEvent(json.dumps(chunk)))

    assert not read(1000, 0)
    assert not read(1500, 999)
    assert told == []
    assert not read(2000, 2000)
    assert told == [(0.5, "Reading the prompt: 50% of 4,000 tokens, 4 s left …")]
    assert not read(4000, 6000)  # it is read
    quoted = {"choices": [{"index": 0, "delta": {"content": '"prompt_progress":'}}]}
    delta = parser.parse(ServerEvent(json.dumps(quoted)))
    assert isinstance(delta, Delta)
    assert delta.text == '"prompt_progress":'
    assert len(told) == 1


def test_only_llama_cpp_is_asked_for_its_progress(tiny_model: Path) -> None:
    request = ChatRequest([Message("user", "hi")])
    model = Model("m", "", "nitro", "ready", "bare", tiny_model.parent, {}, file=tiny_model)
    classes: list[type[OpenAI]] = [Nitro, IntelBigdl, OpenAI]
    engines = [engine(EngineOptions("it", "it")) for engine in classes]
    assert [e.body(model, request).get("return_progress") for e in engines] == [True, None, None]
    given = ChatRequest([Message("user", "hi")], extra={"return_progress": False})
    assert engines[0].body(model, given)["return_progress"] is False


# What a log says ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ("", ""),
        ("0.00.001 W srv  init: no key\n0.01.002 I slot release: id 0\n", ""),
        (
            "0.00.001 W srv  init: no key\nggml.c:12: GGML_ASSERT(n > 0) failed\n",
            "ggml.c:12: GGML_ASSERT(n > 0) failed",
        ),
        (
            "0.00.001 W srv  init: no key\n"
            "0.00.004.516 E llama_model_load: error loading model: tensor 'a' is not within the"
            " file bounds\n"
            "0.00.004.520 E llama_model_load_from_file_impl: failed to load model\n"
            "0.00.004.900 E srv    init: exiting due to model loading error\n"
            "Failed to init server, please check the input params.\n",
            "error loading model: tensor 'a' is not within the file bounds",
        ),
        (
            "main: loading\n"
            "llama_model_load: error loading model: unknown model architecture: 'x'\n",
            "error loading model: unknown model architecture: 'x'",
        ),
        (
            "Traceback (most recent call last):\n  File ...\n"
            "ModuleNotFoundError: No module named 'xllamacpp'\n",
            "ModuleNotFoundError: No module named 'xllamacpp'",
        ),
    ],
)
def test_the_decisive_line(log: str, said: str) -> None:
    assert decisive(log) == said


# The registry -------------------------------------------------------------------------------------


def _entry(**changes: Any) -> dict[str, Any]:
    labels = {"model": "m", "engine": "nitro", "runtime": "xllamacpp", "file": "m.gguf"}
    numbers = {"slots": 1, "memory": 0, "since": 0.0, "used": 0.0, "busy": 0, "keep_alive": 1.0}
    itself = {"pid": os.getpid(), "born": worker.birth(os.getpid()), "port": 1, "secret": "s"}
    return {**labels, **numbers, **itself, "state": "ready", "progress": 1.0, **changes}


RUBBISH = {
    "reused-pid": json.dumps(_entry(born=1.0)),
    "dead": json.dumps(_entry(pid=2**22 + 1)),
    "failed": json.dumps(_entry(pid=2**22 + 1, state="failed", exit=1)),
    "list": "[]",
    "no-json": "{",
    "empty": "",
    "binary": "\0\1",
    "wrong-types": json.dumps(_entry(port="1; rm")),
    "half": json.dumps({"pid": 1}),
}


def test_rubbish_is_not_believed_and_is_cleaned(tmp_path: Path) -> None:
    for name, content in {**RUBBISH, "good": json.dumps(_entry(future=1))}.items():
        (tmp_path / f"{name}.json").write_text(content)
    (tmp_path / "folder.json").mkdir()
    registry = Registry(tmp_path)
    assert [found.key for found in registry.all()] == ["good"]
    registry.clean()
    assert sorted(path.stem for path in tmp_path.glob("*.json")) == ["folder", "good"]


def test_a_server_whose_worker_is_gone_is_ended(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as server:
        left = _entry(pid=2**22 + 1, server_pid=server.pid, server_born=worker.birth(server.pid))
        (tmp_path / "left.json").write_text(json.dumps(left))
        Registry(tmp_path).clean()
        assert server.wait() < 0
    assert not list(tmp_path.iterdir())


def test_old_logs_are_cleaned(tmp_path: Path) -> None:
    for name in ("old.log", "new.log", "used.log", "old.keep"):
        (tmp_path / name).touch()
        if name != "new.log":
            os.utime(tmp_path / name, (1, 1))
    (tmp_path / "used.json").write_text(json.dumps(_entry()))
    Registry(tmp_path).clean()
    assert {path.name for path in tmp_path.iterdir()} == {"new.log", "used.log", "used.json"}


def test_a_negative_keep_alive_means_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seconds(written: str | None = None, **settings: float) -> float:
        Jan.clear_instance()
        if written is not None:
            monkeypatch.setenv("JAN_KEEP_ALIVE", written)
        asked = Model("m", "m", "nitro", "ready", "json", tmp_path, settings=settings)
        return Nitro(EngineOptions("nitro", "nitro")).keep_alive(asked)

    assert seconds() == 600
    assert seconds(keep_alive=0) == 0
    assert seconds(keep_alive=-1) == seconds("-1") == seconds("inf") == FOR_EVER
    assert json.loads(json.dumps(FOR_EVER, allow_nan=False)) > 100 * 365 * 86400
    with pytest.raises(errors.SettingsError, match="not NaN"):
        seconds("nan")


def test_the_key_stands_for_what_matters(tmp_path: Path) -> None:
    file = tmp_path / "m.gguf"
    file.write_bytes(b"1")

    def key(**changes: Any) -> str:
        given = {"model": "m", "engine": "nitro", "files": (ModelFile.of(file),), "options": {}}
        return WorkerSpec(**{**given, "launch": _never, **changes}).key

    assert key() == key(model="other", keep_alive=1.0)
    assert len({key(), key(options={"ctx_len": 1}), key(engine="intel-bigdl")}) == 3
    before = key()
    os.utime(file, (1, 1))
    assert key() != before


def _never() -> Launch:
    raise AssertionError


def test_a_worker_learns_no_key() -> None:
    kept = {"CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "PATH", "TOKENIZERS_PARALLELISM", "LC_ALL"}
    kept |= {"SystemRoot", "XDG_RUNTIME_DIR", "LD_LIBRARY_PATH", "LLAMA_CACHE", "HIP_PATH"}
    keys = {"OPENAI_API_KEY", "hf_token", "AWS_SECRET_ACCESS_KEY", "DB_PASSWORD", "DATABASE_URL"}
    keys |= {
        "SLACK_WEBHOOK",
        "PASSPHRASE",
        "LLAMA_ARG_API_KEY",
        "REDIS_URL",
        "SENTRY_DSN",
        "PGPASS",
    }
    keys |= {"MY_SERVICE", "KUBECONFIG", "SSH_AUTH_SOCK", "DBUS_SESSION_BUS_ADDRESS", "GH_PAT"}
    installers = {"HTTPS_PROXY", "no_proxy", "PIP_INDEX_URL", "CC"}
    installers |= {"UV_INDEX_OURS_USERNAME", "UV_INDEX_OURS_PASSWORD", "UV_KEYRING_PROVIDER"}
    keys |= {"UV_PUBLISH_TOKEN", "UV_PUBLISH_PASSWORD"}
    every = dict.fromkeys(kept | keys | installers, "x")
    assert programs.environment(every).keys() == kept
    assert programs.of_installer(every).keys() == kept | installers


def test_births() -> None:
    assert worker.birth(os.getpid()) == worker.birth(os.getpid())
    child = os.fork()
    if not child:
        os._exit(0)
    try:
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        assert worker.birth(child) is None  # ended, though nobody has waited for it
    finally:
        os.waitpid(child, 0)


def test_every_core_is_for_models_that_people_use(tiny_model: Path, slow_model: Path) -> None:
    """26 MB are already faster with all of them; the bundled model is not."""
    found = runtimes.Runtime("xllamacpp")

    def threads(file: Path, **options: Any) -> object:
        files = [ModelFile.of(file)]
        launch = nitro._launch(found, files, {**llama_options.DEFAULTS, **options})
        return json.loads(launch.input).get("cpuparams.n_threads")

    assert threads(tiny_model) == 1
    assert threads(slow_model) is None
    assert threads(slow_model, cpu_threads=3) == 3


@pytest.mark.parametrize(
    ("settings", "context", "shared", "contexts"),
    [
        ({}, 512, 0, 1),
        ({"n_parallel": 4}, 512, 512, 1),
        ({"n_parallel": 4, "kv_unified": False}, 4 * 512, 0, 4),
        ({"n_parallel": 4, "only_embeds": True}, 4 * 512, 0, 4),
        ({"kv_unified": True}, 512, 0, 1),
    ],
)
def test_each_of_several_requests_has_the_context_that_was_asked_for(
    tiny_model: Path, settings: dict[str, Any], context: int, shared: int, contexts: int
) -> None:
    def launch(**settings: Any) -> Launch:
        options, _ = llama_options.read_settings({"ctx_len": 512, **settings})
        found = runtimes.Runtime("xllamacpp")
        return nitro._launch(found, [ModelFile.of(tiny_model)], options)

    made, plain = launch(**settings), launch()
    assert (json.loads(made.input)["n_ctx"], made.shared) == (context, shared)
    kv_bytes = gguf.read_header(tiny_model).kv_bytes
    assert made.memory == plain.memory + kv_bytes(contexts * 512) - kv_bytes(512)
    assert made.ceiling >= plain.ceiling + 2 * (made.memory - plain.memory)


def test_llama_cpp_python_gives_each_request_the_whole_context_in_turn(tiny_model: Path) -> None:
    options, _ = llama_options.read_settings({"ctx_len": 512, "n_parallel": 4, "kv_unified": False})
    found = runtimes.Runtime("llama-cpp-python")
    made = nitro._launch(found, [ModelFile.of(tiny_model)], options)
    assert json.loads(made.input)["n_ctx"] == 512
    assert (made.slots, made.shared) == (1, 0)
    assert made.notes == ("llama-cpp-python does not know n_parallel",)


async def test_room_is_taken_in_order_and_given_back() -> None:
    room = Room(1000, slots=4)
    assert [room.needed(100, 1, limit) for limit in (50, None, 100_000)] == [150, 250, 250]
    assert (room.needed(400, 3, 100), room.needed(400, 1, None)) == (700, 525)
    assert room.needed(2000, 1, 10) == 1000
    entered: list[str] = []
    leaves = {name: asyncio.Event() for name in ("first", "large", "given up", "small")}

    async def take(name: str, tokens: int) -> None:
        async with room.take(10, tokens, lambda _: None):
            entered.append(name)
            await leaves[name].wait()

    async def settle() -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    asks = {"first": 300, "large": 800, "given up": 1000, "small": 200}
    tasks = {name: asyncio.create_task(take(name, tokens)) for name, tokens in asks.items()}
    await settle()
    assert entered == ["first"]  # the small one would fit, but has come later
    tasks["given up"].cancel()
    leaves["first"].set()
    await settle()
    assert entered == ["first", "large", "small"]
    for leave in leaves.values():
        leave.set()
    await asyncio.wait(tasks.values())
    assert room.shares == []


async def test_the_largest_in_a_full_room_ends() -> None:
    room = Room(160, slots=2)
    async with room.take(50, 80, lambda _: None) as small:
        assert all(small.grows() for _ in range(40))  # alone it may have all
        async with room.take(40, 60, lambda _: None) as large:
            assert all(large.grows() for _ in range(19))
            assert large.grows()  # 150: full, but the other one is larger
            assert not small.grows()
        assert small.grows()
