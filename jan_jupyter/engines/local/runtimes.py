"""What nitro's settings mean to each program that can run llama.cpp, and where to find one.

Two are llama.cpp's own HTTP server: `xllamacpp` out of a wheel (the default), `llama-server` as a
binary on PATH, given by `runtime_path`, or one that Jan (until 0.8.4; its own of today takes no
model) has downloaded. The third, `llama-cpp-python`, is that package under a server of ours.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ... import errors
from ...ownership import why_not_ours
from ...parameters import OLD_NAMES
from ...types import EMPTY

HERE = Path(__file__).parent
RUNTIMES = ("xllamacpp", "llama-server", "llama-cpp-python")

# What settings mean -------------------------------------------------------------------------------


def _whole(value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise ValueError(value)
    return int(value)


def count(value: Any) -> int:
    """A whole number above 0. Raises `ValueError` or `TypeError`."""
    if (number := _whole(value)) < 1:
        raise ValueError(value)
    return number


def _count_or_auto(value: Any) -> int:
    return 0 if _whole(value) == 0 else count(value)


def _truth(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    return {"true": True, "1": True, "on": True, "false": False, "0": False, "off": False}[
        str(value).lower()
    ]


def _on_off(value: Any) -> str:
    text = str(value).lower()
    return text if text == "auto" else ("on" if _truth(value) else "off")


def _lower(value: Any) -> str:
    return str(value).lower()


@dataclass(frozen=True, slots=True)
class Row:
    """One setting: how its value is read, and its name in llama.cpp's server.

    `attribute` is one of xllamacpp's `CommonParams`, `flag` an option of llama-server; of a pair
    of flags the first means true, the second false. `choices` are the values that are allowed, and
    the attribute's names for them. A `flag` in capitals is an environment variable: an older
    llama-server that does not know it starts all the same.
    """

    read: Callable[[Any], Any]
    attribute: str
    flag: str | tuple[str, str]
    choices: Mapping[str, str] = EMPTY

    def value(self, written: Any) -> Any:
        """Raises `ValueError`, `TypeError` or `KeyError` if the value does not fit."""
        value = self.read(written)
        if self.choices and value not in self.choices:
            raise ValueError(value)
        return value


def _members(prefix: str, *names: str) -> Mapping[str, str]:
    return {name: prefix + name.upper() for name in names}


_CACHE_TYPES = _members(
    "GGML_TYPE_", "f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl"
)
_FLASH = {
    "auto": "LLAMA_FLASH_ATTN_TYPE_AUTO",
    "on": "LLAMA_FLASH_ATTN_TYPE_ENABLED",
    "off": "LLAMA_FLASH_ATTN_TYPE_DISABLED",
}
_ROPE = _members("LLAMA_ROPE_SCALING_TYPE_", "none", "linear", "yarn")
_NUMA = _members("GGML_NUMA_STRATEGY_", "distribute", "isolate", "numactl")
_POOLING = _members("LLAMA_POOLING_TYPE_", "mean", "cls", "last")
_SPLIT = _members("LLAMA_SPLIT_MODE_", "none", "layer", "row")
_LOAD = {
    "mmap": "LLAMA_LOAD_MODE_MMAP",
    "none": "LLAMA_LOAD_MODE_NONE",
    "mlock": "LLAMA_LOAD_MODE_MMAP_MLOCK",
}

TABLE: Mapping[str, Row] = {
    "ctx_len": Row(_whole, "n_ctx", "--ctx-size"),
    "ngl": Row(_whole, "n_gpu_layers", "--n-gpu-layers"),
    "n_parallel": Row(_count_or_auto, "n_parallel", "--parallel"),
    "kv_unified": Row(_truth, "kv_unified", "LLAMA_ARG_KV_UNIFIED"),
    "cpu_threads": Row(count, "cpuparams.n_threads", "--threads"),
    "cont_batching": Row(_truth, "cont_batching", ("--cont-batching", "--no-cont-batching")),
    # The llama-server of Jan's time refuses to chat with `--embeddings`, and Jan's own files set
    # `embedding` for every model: only xllamacpp does both.
    "embedding": Row(_truth, "embedding", ""),
    "mmproj": Row(str, "mmproj.path", "--mmproj"),
    "chat_template": Row(str, "chat_template", "--chat-template"),
    "n_batch": Row(count, "n_batch", "--batch-size"),
    "n_ubatch": Row(count, "n_ubatch", "--ubatch-size"),
    "only_embeds": Row(_truth, "", ""),
    "pooling_type": Row(_lower, "pooling_type", "", _POOLING),
    "flash_attn": Row(_on_off, "flash_attn_type", "--flash-attn", _FLASH),
    "cache_type_k": Row(_lower, "cache_type_k", "--cache-type-k", _CACHE_TYPES),
    "cache_type_v": Row(_lower, "cache_type_v", "--cache-type-v", _CACHE_TYPES),
    "cache_ram": Row(_whole, "cache_ram_mib", "LLAMA_ARG_CACHE_RAM"),
    "cache_reuse": Row(_whole, "n_cache_reuse", "--cache-reuse"),
    "caching_enabled": Row(_truth, "cache_prompt", ("", "--no-cache-prompt")),
    "rope_freq_base": Row(float, "rope_freq_base", "--rope-freq-base"),
    "rope_freq_scale": Row(float, "rope_freq_scale", "--rope-freq-scale"),
    "rope_scaling": Row(_lower, "rope_scaling_type", "--rope-scaling", _ROPE),
    "load_mode": Row(_lower, "load_mode", "", _LOAD),
    "numa": Row(_lower, "numa", "--numa", _NUMA),
    "main_gpu": Row(_whole, "main_gpu", "--main-gpu"),
    "split_mode": Row(_lower, "split_mode", "--split-mode", _SPLIT),
    "no_kv_offload": Row(_truth, "no_kv_offload", ("--no-kv-offload", "")),
    "ctx_shift": Row(_truth, "ctx_shift", ("--context-shift", "")),
}

_KEYWORDS = {
    "ctx_len": "n_ctx",
    "ngl": "n_gpu_layers",
    "embedding": "embedding",
    "chat_template": "chat_template",
    "n_batch": "n_batch",
    "n_ubatch": "n_ubatch",
    "pooling_type": "pooling_type",
    "cache_type_k": "type_k",
    "cache_type_v": "type_v",
    "caching_enabled": "cache_prompt",
    "rope_freq_base": "rope_freq_base",
    "rope_freq_scale": "rope_freq_scale",
    "rope_scaling": "rope_scaling_type",
    "numa": "numa",
    "main_gpu": "main_gpu",
    "split_mode": "split_mode",
}
"""What `llama_cpp.Llama` (or its backend of ours) calls the settings that it knows."""

_NOTHING_TO_SAY = ("cont_batching", "only_embeds")

OTHER_NAMES = {
    **OLD_NAMES,
    "threads": "cpu_threads",
    "batch_size": "n_batch",
    "ubatch_size": "n_ubatch",
    "pooling": "pooling_type",
    "n_cache_reuse": "cache_reuse",
    "cache_ram_mib": "cache_ram",
}

BOOKKEEPING = frozenset(
    [
        "runtime",
        "runtime_path",
        "keep_alive",
        "timeout",
        "engine",
        "base_url",
        "full_url",
        "api_key",
        "api_key_env",
        "version",
        "text_model",
        "vision_model",
        "stop_word",
        "llama_model_path",
        "model_path",
        "prompt_template",
        "system_prompt",
        "user_prompt",
        "ai_prompt",
        "pre_prompt",
        "mmproj",
        "cache_type",
        "use_mmap",
        "no_mmap",
        "mmap",
        "mlock",
        "version_backend",
        "auto_update_engine",
        "auto_unload",
        "auto_unload_models",
    ]
)
"""What belongs to Jan or is read elsewhere: known, but nothing that a server is told."""

# GNU's OpenMP lets a thread spin for milliseconds at each of the many barriers in a token. When
# others use the processors too, as a notebook does, that made answers up to 20 times slower; this
# is enough when they do not.
_SPIN = {"GOMP_SPINCOUNT": "5000"}

DEFAULTS = {"n_parallel": 1, "cache_ram": 512}
"""llama.cpp's own default lets old prompts fill 8 GB of memory."""


def read_settings(settings: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Settings of any Jan -> options under the names of `TABLE`, and a line for each left out."""
    options: dict[str, Any] = dict(DEFAULTS)
    left_out: list[str] = []
    given = {OTHER_NAMES.get(name, name): value for name, value in settings.items()}
    for name, written in _one_for_two(given).items():
        row = TABLE.get(name)
        if row is None:
            if name not in BOOKKEEPING:
                left_out.append(f"{name} is not known")
        elif name != "mmproj":  # the model knows where its projector lies
            try:
                options[name] = row.value(written)
            except (ValueError, TypeError, KeyError):
                left_out.append(f"{name}={written!r} does not fit")
    if options["n_parallel"] == 0:
        options["n_parallel"] = DEFAULTS["n_parallel"]  # "auto" since Jan 0.8.5
    if options.get("ctx_len", 1) <= 0:
        del options["ctx_len"]  # then the file says how much
    return options, left_out


def told(left_out: Sequence[str]) -> list[str]:
    """A line for people about settings that are left out; none if there is none."""
    return [f"settings left out: {'; '.join(left_out)}"] if left_out else []


def _one_for_two(given: Mapping[str, Any]) -> dict[str, Any]:
    """Some settings of Jan set two of ours, or share one."""
    found = dict(given)
    if both := given.get("cache_type"):
        found = {"cache_type_k": both, "cache_type_v": both, **found}
    if _says(given, "mlock", True):
        found["load_mode"] = "mlock"
    elif any(
        (_says(given, "no_mmap", True), *(_says(given, n, False) for n in ("use_mmap", "mmap")))
    ):
        found["load_mode"] = "none"
    return found


def _says(given: Mapping[str, Any], name: str, what: bool) -> bool:
    try:
        return _truth(given[name]) is what
    except KeyError:
        return False


def xllamacpp_input(file: Path, options: Mapping[str, Any]) -> dict[str, Any]:
    """What `xllamacpp_server.py` reads: attributes of `CommonParams`."""
    rows = ((TABLE[name], value) for name, value in options.items())
    return {
        "model.path": str(file),
        "use_jinja": True,
        "verbosity": 2,  # warnings and errors: what is asked and answered is nobody's business
        **{row.attribute: row.choices.get(value, value) for row, value in rows if row.attribute},
    }


def llama_server_arguments(
    file: Path, options: Mapping[str, Any]
) -> tuple[list[str], dict[str, str]]:
    """The command line of `llama-server` after its name, and the environment it needs."""
    arguments = ["--model", str(file), "--host", "127.0.0.1", "--jinja", "--slots", "--no-webui"]
    environment = {}
    for name, value in options.items():
        flag = TABLE[name].flag
        if isinstance(flag, tuple):
            arguments += [flag[0 if value else 1]] if flag[0 if value else 1] else []
        elif flag.isupper():
            environment[flag] = str(int(value) if isinstance(value, bool) else value)
        elif flag:
            arguments += [flag, str(value)]
    if options.get("only_embeds"):
        pooling = options.get("pooling_type")
        arguments += ["--embeddings", *(["--pooling", pooling] if pooling else [])]
    arguments += {"none": ["--no-mmap"], "mlock": ["--mlock"]}.get(options.get("load_mode", ""), [])
    return arguments, environment


def llama_cpp_input(file: Path, options: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """What `serve_llama_cpp.py` reads, and the options that it has no word for."""
    keywords: dict[str, Any] = {"model_path": str(file), "n_gpu_layers": -1}
    unknown = []
    for name, value in options.items():
        if name in _KEYWORDS:
            keywords[_KEYWORDS[name]] = TABLE[name].choices.get(value, value)
        elif name == "cpu_threads":
            keywords |= {"n_threads": value, "n_threads_batch": value}
        elif name == "load_mode":
            keywords |= {"use_mmap": value != "none", "use_mlock": value == "mlock"}
        elif name == "no_kv_offload":
            keywords["offload_kqv"] = not value
        elif name == "flash_attn":
            keywords |= {} if value == "auto" else {"flash_attn": value == "on"}
        elif value and value != DEFAULTS.get(name) and name not in _NOTHING_TO_SAY:
            unknown.append(name)
    return keywords, unknown


# Where to find one --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Runtime:
    """A program that can run llama.cpp's server."""

    name: str
    binary: Path | None = None

    @property
    def secret_variable(self) -> str:
        """The environment variable in which it looks for its secret."""
        return "JAN_WORKER_KEY" if self.name == "llama-cpp-python" else "LLAMA_API_KEY"

    def slots(self, options: Mapping[str, Any]) -> int:
        """How many requests it answers at once."""
        return 1 if self.name == "llama-cpp-python" else int(options["n_parallel"])

    def notes(self, options: Mapping[str, Any]) -> list[str]:
        """Lines for people about options that it does not know."""
        if self.name != "llama-cpp-python":
            return []
        _, unknown = llama_cpp_input(Path(), options)
        return [f"llama-cpp-python does not know {', '.join(unknown)}"] if unknown else []

    def command(
        self, file: Path, options: Mapping[str, Any]
    ) -> tuple[tuple[str, ...], str, Mapping[str, str]]:
        """How to start it: command line, first line of its input, environment."""
        # -P: neither the folder of the script nor the user's may shadow a module
        python = (sys.executable, "-P")
        if self.name == "xllamacpp":
            text = json.dumps(xllamacpp_input(file, options))
            return (*python, str(HERE / "xllamacpp_server.py")), text, calm()
        if self.name == "llama-cpp-python":
            keywords, _ = llama_cpp_input(file, options)
            program = (str(HERE / name) for name in ("serve.py", "serve_llama_cpp.py"))
            return (*python, *program), json.dumps(keywords), calm()
        arguments, environment = llama_server_arguments(file, options)
        return (str(self.binary), *arguments), "", {**calm(), **environment}


def calm() -> Mapping[str, str]:
    """The environment in which threads that wait do not hold up others, unless the user has one."""
    return EMPTY if os.environ.keys() & {*_SPIN, "OMP_WAIT_POLICY"} else _SPIN


def choose(
    wanted: str, path: str, data_folders: Sequence[Path], uses_gpu: Callable[[Runtime], bool]
) -> Runtime:
    """The runtime that the settings `runtime` and `runtime_path` ask for.

    `auto` takes the first that can use a GPU, else the first. Raises `EngineUnavailable`.
    """
    wanted = (wanted or "auto").lower().replace("_", "-")
    if wanted not in ("auto", *RUNTIMES):
        raise errors.EngineUnavailable(
            f"nitro has no runtime {wanted!r}: set `runtime` in engines/nitro/engine.json to one of"
            f" auto, {', '.join(RUNTIMES)}.",
            engine="nitro",
        )
    if path and wanted == "auto":
        wanted = "llama-server"
    found = [r for r in _installed(path, data_folders) if wanted in ("auto", r.name)]
    if not found:
        raise errors.EngineUnavailable(
            "nitro finds no llama.cpp to run: `pip install xllamacpp`, or give the path of a"
            " llama-server as `runtime_path` in engines/nitro/engine.json."
            if wanted == "auto"
            else f"nitro does not find its runtime {wanted}{f' at {path}' if path else ''}:"
            f" {_HOW_TO_GET[wanted]}.",
            engine="nitro",
        )
    if len(found) > 1 and gpu_here():
        return next((runtime for runtime in found if uses_gpu(runtime)), found[0])
    return found[0]


_HOW_TO_GET = {
    "xllamacpp": "`pip install xllamacpp`",
    "llama-server": "see `runtime_path`",
    "llama-cpp-python": "`pip install jan-jupyter[llama-cpp-python]`, which compiles it for this"
    " machine (some minutes; it needs a C++ compiler)",
}


def _installed(path: str, data_folders: Sequence[Path]) -> Iterator[Runtime]:
    if importlib.util.find_spec("xllamacpp") is not None:
        yield Runtime("xllamacpp")
    for binary in [Path(path).expanduser()] if path else _llama_servers(data_folders):
        if os.access(binary, os.X_OK) and binary.is_file():
            yield Runtime("llama-server", binary)
    if importlib.util.find_spec("llama_cpp") is not None:
        yield Runtime("llama-cpp-python")


def _llama_servers(data_folders: Sequence[Path]) -> Iterator[Path]:
    """On PATH, and what Jan has downloaded for this user, newest first."""
    if on_path := shutil.which("llama-server"):
        yield Path(on_path)
    name = "llama-server.exe" if os.name == "nt" else "llama-server"
    for folder in data_folders:
        downloaded = (folder / "llamacpp" / "backends").glob(f"**/{name}")
        ours = [program for program in downloaded if not why_not_ours(program)]
        yield from sorted(ours, key=lambda p: p.stat().st_mtime, reverse=True)


def gpu_here() -> bool:
    """Whether this machine has a GPU that some llama.cpp could use; a cheap look."""
    if sys.platform == "darwin":
        return os.uname().machine == "arm64"
    if os.name == "nt":
        return shutil.which("nvidia-smi") is not None
    return any(Path(device).exists() for device in ("/dev/nvidiactl", "/dev/kfd", "/dev/dri"))


@functools.cache
def uses_gpu(runtime: Runtime) -> bool:
    """Whether a runtime can use a GPU here: it is started once and asked for its devices."""
    code = _ASKS_FOR_GPU.get(runtime.name)
    asked = [sys.executable, "-P", "-c", code] if code else [str(runtime.binary), "--list-devices"]
    try:
        answer = subprocess.run(
            asked, capture_output=True, stdin=subprocess.DEVNULL, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    if code:
        return answer.returncode == 0
    _, _, devices = answer.stdout.decode("utf-8", "replace").partition("Available devices:")
    return bool(devices.strip())


_ASKS_FOR_GPU = {
    "xllamacpp": "import sys, xllamacpp; sys.exit(all(d['type'].name =="
    " 'GGML_BACKEND_DEVICE_TYPE_CPU' for d in xllamacpp.get_device_info()))",
    "llama-cpp-python": "import sys, llama_cpp;"
    " sys.exit(not llama_cpp.llama_supports_gpu_offload())",
}
"""Programs that end with 0 if a runtime in Python can use a GPU."""


def in_gpu_memory(runtime: Runtime, options: Mapping[str, Any]) -> bool:
    """Whether a model goes into memory that is the GPU's own; Apple's is the machine's."""
    if options.get("ngl") == 0 or sys.platform == "darwin" or not gpu_here():
        return False
    return uses_gpu(runtime)
