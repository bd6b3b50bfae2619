"""What memory this machine has for models: RAM, a container's limit, and NVIDIA GPUs."""

from __future__ import annotations

import ctypes
import os
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_GPU_PATIENCE = 1.0  # seconds; a driver that sleeps may need more to wake up
_GPU_FRESH = 10.0
_NVML = "nvml.dll" if os.name == "nt" else "libnvidia-ml.so.1"


@dataclass(frozen=True, slots=True)
class GPU:
    """Bytes of its memory."""

    name: str
    free: int
    total: int


@dataclass(frozen=True, slots=True)
class Machine:
    """Bytes of memory available to us, and in all; `gpus` are those that we know how to ask."""

    available: int
    total: int
    gpus: tuple[GPU, ...] = ()


def probe() -> Machine:
    """Ask now; never takes much longer than a second, and starts no process."""
    return Machine(*memory(), _gpus())


def memory() -> tuple[int, int]:
    """Bytes of memory available to us, and in all: the machine's, or less if a cgroup says so."""
    import psutil

    machine = psutil.virtual_memory()
    available, total = int(machine.available), int(machine.total)
    for limit, used in cgroup_limits(Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")):
        total = min(total, limit)
        available = min(available, max(0, limit - used))
    return available, total


def cgroup_limits(membership: Path, mount: Path) -> Iterator[tuple[int, int]]:
    """(limit, used) in bytes of each memory group that this process is in, v2 and v1."""
    try:
        lines = membership.read_text("ascii").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            root, names, cache = mount, ("memory.max", "memory.current"), "inactive_file "
        elif "memory" in controllers.split(","):
            root, cache = mount / "memory", "total_inactive_file "
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes")
        else:
            continue
        group = root / path.strip("/")
        for folder in (group, *group.parents):
            if not folder.is_relative_to(root):
                break
            try:
                limit, used = (int((folder / name).read_text("ascii")) for name in names)
                stat = (folder / "memory.stat").read_text("ascii")
            except (OSError, ValueError):  # no such group seen from here, or "max"
                continue
            given_back = re.search(f"^{cache}(\\d+)$", stat, re.MULTILINE)
            yield limit, used - (int(given_back[1]) if given_back else 0)


# GPUs -------------------------------------------------------------------------------------------

_known: tuple[float, tuple[GPU, ...]] = (-1e9, ())
_asking = threading.Lock()


def _gpus() -> tuple[GPU, ...]:
    """The NVIDIA GPUs; none if there are none, or if the driver does not answer in time."""
    global _known
    if not _has_nvidia():
        return ()
    if time.monotonic() - _known[0] < _GPU_FRESH or not _asking.acquire(blocking=False):
        return _known[1]

    def ask() -> None:
        global _known
        try:
            _known = time.monotonic(), _ask_nvml()
        finally:
            _asking.release()

    thread = threading.Thread(target=ask, name="jan-gpu", daemon=True)
    thread.start()
    thread.join(_GPU_PATIENCE)
    return _known[1]


def _has_nvidia() -> bool:
    return os.name == "nt" or any(map(os.path.exists, ("/dev/nvidiactl", "/dev/dxg")))


class _Memory(ctypes.Structure):
    _fields_ = [(name, ctypes.c_ulonglong) for name in ("total", "free", "used")]


def _ask_nvml() -> tuple[GPU, ...]:
    """NVIDIA's own library, which comes with every driver; a few milliseconds."""
    try:
        nvml = ctypes.CDLL(_NVML)
    except OSError:
        return ()
    if nvml.nvmlInit_v2() != 0:
        return ()
    found = []
    try:
        count = ctypes.c_uint()
        nvml.nvmlDeviceGetCount_v2(ctypes.byref(count))
        for index in range(min(count.value, 64)):
            device, memory_, name = ctypes.c_void_p(), _Memory(), ctypes.create_string_buffer(96)
            if nvml.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(device)) != 0:
                continue
            nvml.nvmlDeviceGetName(device, name, len(name))
            if nvml.nvmlDeviceGetMemoryInfo(device, ctypes.byref(memory_)) == 0:
                label = name.value.decode("utf-8", "replace")
                found.append(GPU(label, memory_.free, memory_.total))
    finally:
        nvml.nvmlShutdown()
    return tuple(found)
