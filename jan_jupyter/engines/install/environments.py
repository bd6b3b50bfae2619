"""Virtual environments for engines whose packages must not meet those of the kernel.

Made with pip where pip is configured (mirrors, certificates, constraints: nothing else reads
that), else with uv if it is there, else with pip.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ... import units
from ...errors import EngineUnavailable
from ...programs import find_uv, run

Say = Callable[[str], None]

WINDOWS = os.name == "nt"
TORCH_FOR_CPU = "https://download.pytorch.org/whl/cpu"
"""Where PyTorch's builds without CUDA are; the one on PyPI is several GB larger."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What goes into an environment: `steps` of requirements, one after the other.

    `pythons` are the versions for which all of them have wheels, best first. `size` is what
    it takes on disk, in bytes. `check` is a program that ends well if it works, `remark` what else
    is said to who is asked.
    """

    name: str
    pythons: tuple[str, ...]
    steps: tuple[tuple[str, ...], ...]
    size: int
    check: str
    remark: str

    @property
    def cost(self) -> str:
        """What it takes, in words."""
        return f"about {units.size(self.size)} on disk, {self.remark}"


class EngineEnvironment:
    """The environment of a recipe, in a folder of its own."""

    def __init__(self, folder: Path, recipe: Recipe) -> None:
        self.folder = folder
        self.recipe = recipe

    @property
    def python(self) -> Path:
        return self.folder / ("Scripts/python.exe" if WINDOWS else "bin/python")

    @property
    def ready(self) -> bool:
        """Whether it is whole, and made by this recipe."""
        return self._done() == self._plan

    async def install(self, say: Say) -> None:
        """Make it, or go on where an earlier try ended. Raises `EngineUnavailable`.

        Cancelling ends the programs at work and keeps what is there.
        """
        with self._alone():
            done = self._done()
            if done == self._plan:
                say(f"{self.recipe.name} is installed already: {self.folder}")
                return
            if not done or done != self._plan[: len(done)]:  # new, or of another recipe
                self._check_space()
                await self._make(say)
                done = []
            for number, step in enumerate(self._plan[len(done) :], len(done) + 1):
                if step == [self.recipe.check]:
                    say(f"Trying {self.recipe.name} …")
                    command = [str(self.python), "-I", "-c", self.recipe.check]
                else:
                    say(f"Step {number} of {len(self.recipe.steps)}: {', '.join(step)}")
                    command = await asyncio.to_thread(install_command, self.python, step)
                await self._run(command, say)
                self._file.write_text(json.dumps(self._plan[:number]), "utf-8")
            say(f"{self.recipe.name} is installed: {self.folder}")

    async def _make(self, say: Say) -> None:
        wanted = self.recipe.pythons
        if found := await asyncio.to_thread(find_python, wanted):
            command = [found, "-m", "venv", "--clear", str(self.folder)]
        elif uv := find_uv():
            command = [*uv, "venv", "--clear", "--seed", "--python", wanted[0], str(self.folder)]
        else:
            raise EngineUnavailable(
                f"{self.recipe.name} needs Python {' or '.join(wanted)}, which is not on PATH:"
                " install it, or `pip install uv`, which fetches it."
            )
        say(f"Making an environment in {self.folder} …")
        await self._run(command, say)

    async def _run(self, command: Sequence[str], say: Say) -> None:
        """Run a program to its end; a few of its lines are told."""

        def tell(line: str) -> None:
            if _TELLING.match(line.strip()):
                say(line.strip()[:120])

        status, last = await run(command, tell)
        if status:
            raise EngineUnavailable(
                f"{self.recipe.name} cannot be installed: {' '.join([*last][-3:])[-300:]}"
                f" (exit status {status}). Running the command again goes on from here."
            )

    def _check_space(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.folder).free
        if free < self.recipe.size * 1.5:
            raise EngineUnavailable(
                f"{self.recipe.name} needs about {units.size(self.recipe.size)} (and half of that"
                f" while it is installed), and {units.size(free)} are free below {self.folder}."
            )

    def _done(self) -> list[list[str]]:
        """The steps that are behind us."""
        try:
            found: list[list[str]] = json.loads(self._file.read_text("utf-8"))
        except (OSError, ValueError):
            return []
        return found if self.python.exists() else []

    @property
    def _plan(self) -> list[list[str]]:
        return [*map(list, self.recipe.steps), [self.recipe.check]]

    @property
    def _file(self) -> Path:
        return self.folder / "installed.json"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        import filelock

        self.folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(f"{self.folder}.lock", timeout=0)
        try:
            lock.acquire()
        except filelock.Timeout:
            raise EngineUnavailable(
                f"{self.recipe.name} is being installed by another process: wait until it is done."
            ) from None
        try:
            yield
        finally:
            lock.release()


_TELLING = re.compile(r"(?i)downloading .*\([\d.]+ ?[MG]i?B\)|building |installing |installed ")


def install_command(python: Path, requirements: Sequence[str]) -> list[str]:
    """How to install into an environment."""
    configured = pip_is_configured()
    uv = None if configured else find_uv()
    if uv:
        command = [*uv, "pip", "install", "--python", str(python)]
    else:
        command = [str(python), "-m", "pip", "install", "--progress-bar=off"]
        command += ["--disable-pip-version-check"]
    if not configured and any(name.startswith("torch==") for name in requirements):
        command += ["--index-url", TORCH_FOR_CPU]
    return [*command, *requirements]


_CONFIGURES = {
    *("index-url", "extra-index-url", "find-links", "no-index", "constraint"),
    *("cert", "client-cert", "trusted-host", "proxy"),
}


def pip_is_configured() -> bool:
    """Whether somebody has told pip where packages come from."""
    answer = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    names = {line.partition("=")[0].rpartition(".")[2] for line in answer.stdout.splitlines()}
    return bool(names & _CONFIGURES)


def find_python(versions: Sequence[str]) -> str | None:
    """A Python of one of the versions (`3.11`): our own, or one on PATH that works."""
    if "{}.{}".format(*sys.version_info) in versions:
        return sys.executable
    for found in filter(None, (shutil.which(f"python{version}") for version in versions)):
        asked = subprocess.run([found, "-c", "import venv"], capture_output=True, check=False)
        if not asked.returncode:
            return found
    return None
