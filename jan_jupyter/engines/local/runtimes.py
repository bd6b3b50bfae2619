"""The programs that can run llama.cpp, and where to find one.

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
from ...types import EMPTY
from .llama_help import Flags, flags_of
from .llama_options import llama_cpp_input, llama_server_arguments, xllamacpp_input

HERE = Path(__file__).parent
RUNTIMES = ("xllamacpp", "llama-server", "llama-cpp-python")

# GNU's OpenMP lets a thread spin for milliseconds at each of the many barriers in a token. When
# others use the processors too, as a notebook does, that made answers up to 20 times slower; this
# is enough when they do not.
_SPIN = {"GOMP_SPINCOUNT": "5000"}


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

    @property
    def flags(self) -> Flags | None:
        """The options of a llama-server; `None` for the others, and for one that tells none."""
        return flags_of(self.binary) if self.binary is not None else None

    @property
    def shares_context(self) -> bool:
        """Whether the requests that it answers at once can share one context."""
        flags = self.flags
        return flags is None or "--kv-unified" in flags

    def notes(self, options: Mapping[str, Any]) -> list[str]:
        """Lines for people about options that it does not know."""
        unknown: list[str] = []
        if self.name == "llama-cpp-python":
            _, unknown = llama_cpp_input(Path(), options)
        elif self.name == "llama-server":
            *_, unknown = llama_server_arguments(Path(), options, self.flags)
        return [f"{self.name} does not know {', '.join(unknown)}"] if unknown else []

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
        arguments, environment, _ = llama_server_arguments(file, options, self.flags)
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
