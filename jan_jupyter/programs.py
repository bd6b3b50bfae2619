"""Other programs that we start: which variables they get, and installers, run to their end.

An installer's lines are told as they come; it knows no keys but those of its package indexes, and
it can be stopped.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from .redaction import is_secret_name
from .settings import stay_here
from .types import EMPTY

# Which of our environment variables they get: those that are known to be no secrets. (A list of
# what is held back could never be whole: `DATABASE_URL`, `SLACK_WEBHOOK` …)

_SYSTEM = (
    "PATH|HOME|USER|LOGNAME|SHELL|PWD|LANG|LANGUAGE|LC_.*|TZ|TERM|TMPDIR|TEMP|TMP|XDG_.*"
    "|SSL_CERT_.*|LD_LIBRARY_PATH|LD_PRELOAD|LIBRARY_PATH|DYLD_.*|MALLOC_.*|GLIBC_TUNABLES"
    # Windows starts nothing without the first of these.
    "|SYSTEMROOT|WINDIR|SYSTEMDRIVE|COMSPEC|PATHEXT|OS|USERNAME|USERPROFILE|HOMEDRIVE|HOMEPATH"
    "|APPDATA|LOCALAPPDATA|PROGRAMDATA|ALLUSERSPROFILE|PUBLIC|(COMMON)?PROGRAM(FILES|W6432).*"
    "|COMMONPROGRAMW6432|NUMBER_OF_PROCESSORS|PROCESSOR_.*"
)
_PYTHON = "PYTHON.*|VIRTUAL_ENV|CONDA_PREFIX|CONDA_DEFAULT_ENV|COVERAGE_.*|COV_CORE_.*|JAN_.*"
_DEVICES = (
    "CUDA.*|CUDNN_.*|NVIDIA_.*|NCCL_.*|HIP_.*|HSA_.*|ROCR_.*|ROCM_.*|AMD_.*|GPU_.*|VK_.*|MESA_.*"
    "|METAL_.*|MTL_.*|OCL_.*|OPENCL_.*|SYCL_.*|ONEAPI_.*|ZE_.*|ZES_.*|UR_.*|INTEL_.*|CMPLR_ROOT"
)
_LIBRARIES = (
    "GGML_.*|LLAMA_.*|OMP_.*|GOMP_.*|KMP_.*|MKL.*|OPENBLAS_.*|BLIS_.*|VECLIB_.*|NUMEXPR_.*|TBB.*"
    "|ONEDNN_.*|DNNL_.*|CCL_.*|FI_PROVIDER_PATH|I_MPI_.*|OV_.*|OPENVINO_.*|TORCH.*|PYTORCH_.*"
    "|IPEX_.*|BIGDL_.*|TOKENIZERS_.*|TRANSFORMERS_.*|HF_HOME|HF_HUB_CACHE|HF_HUB_OFFLINE"
)
_INSTALLING = (
    "((HTTPS?|ALL|NO)_PROXY)|PIP_.*|UV_.*|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|GIT_SSL_.*|CC|CXX|AR|LD"
    "|CFLAGS|CXXFLAGS|CPPFLAGS|LDFLAGS|CMAKE_.*|FORCE_CMAKE|MAKEFLAGS|NINJA.*|PKG_CONFIG_PATH|CPATH"
    r"|SDKROOT|MACOSX_DEPLOYMENT_TARGET|INCLUDE|LIB|LIBPATH|VS\d+COMNTOOLS|V[SC]INSTALLDIR|VCTOOLS.*|WINDOWSSDK.*"
)
_INDEX_KEYS = "UV_INDEX_.*_(USERNAME|PASSWORD)|(UV|PIP)_KEYRING_PROVIDER"
"""Without these an installer cannot read a private index."""
_OF_WORKERS = re.compile("|".join((_SYSTEM, _PYTHON, _DEVICES, _LIBRARIES)), re.IGNORECASE)
_OF_INSTALLERS = re.compile(f"{_OF_WORKERS.pattern}|{_INSTALLING}", re.IGNORECASE)
_OF_INDEXES = re.compile(_INDEX_KEYS, re.IGNORECASE)


def environment(own: Mapping[str, str]) -> dict[str, str]:
    """What a worker gets: it runs models and reaches nothing else."""
    return _taken(own, _OF_WORKERS)


def of_installer(own: Mapping[str, str]) -> dict[str, str]:
    """What an installer gets: also its own settings, compilers, and the way to the network.

    Of keys it gets those of its package indexes alone.
    """
    indexes = {k: v for k, v in own.items() if _OF_INDEXES.fullmatch(k)}
    return _taken(own, _OF_INSTALLERS) | indexes


def _taken(own: Mapping[str, str], names: re.Pattern[str]) -> dict[str, str]:
    return {k: v for k, v in own.items() if names.fullmatch(k) and not is_secret_name(k)}


# Installers ---------------------------------------------------------------------------------------

Tell = Callable[[str], None]
"""Takes a line of progress, on the background loop."""


def find_uv() -> list[str] | None:
    """The command of uv, if it is there."""
    beside = Path(sys.executable).with_name("uv.exe" if os.name == "nt" else "uv")
    if found := shutil.which("uv") or (beside.exists() and str(beside)):
        return [found]
    return None


async def run(
    command: Sequence[str],
    tell: Tell,
    *,
    fetches: bool = True,
    variables: Mapping[str, str] = EMPTY,
) -> tuple[int, Sequence[str]]:
    """Run a program to its end; gives its exit status and its last lines.

    `fetches`: it may need what is elsewhere, which `local_only` forbids. `variables` go beside
    those that every installer gets. Cancelling it stops the program, and what that has started,
    before it returns.
    """
    if fetches:
        stay_here("What is to be installed")
    # A package's own build code has no business with other keys.
    given = {**of_installer(os.environ), "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", **variables}
    given.pop("FORCE_COLOR", None)  # ipykernel sets it
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=given,
        start_new_session=os.name == "posix",  # an interrupt of the kernel is ours to pass on
    )
    assert process.stdout is not None
    last: deque[str] = deque(maxlen=40)
    try:
        async for line in _lines(process.stdout):
            last.append(line)
            tell(line)
        return await process.wait(), last
    finally:
        if process.returncode is None:
            await asyncio.shield(_stopped(process))


async def _lines(stream: asyncio.StreamReader) -> AsyncIterator[str]:
    """The lines of a stream, however long; blank ones are left out."""
    rest = b""
    while piece := await stream.read(2**16):
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            if text := line.decode("utf-8", "replace").rstrip():
                yield text
    if text := rest.decode("utf-8", "replace").rstrip():
        yield text


async def _stopped(process: asyncio.subprocess.Process) -> None:
    """End it and all that it has started: first kindly, so that it can tidy up."""
    if os.name != "posix":
        process.kill()
        await process.wait()
        return
    for number in (signal.SIGINT, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(TimeoutError):
            async with asyncio.timeout(3):
                await process.wait()
                return
