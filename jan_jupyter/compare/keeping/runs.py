"""The runs of a workspace: list them, open one by its name, join, rename, delete, pass on."""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any, overload

from ...errors import RunNotFound, UsageError, expect
from ...workspace import Workspace, shared
from ..values import Result
from ..views.listing import Listing
from ..views.written import line
from . import exchange, joined
from .store import PRICES, Store
from .stored_runs import Listed, Run

Opened = Callable[[Store, Run], Any]
"""What a run is opened as."""


def result(store: Store, run: Run) -> Result:
    """A run as its values."""
    return store.result(run)


class Runs:
    """The runs of a workspace (default: the shared one), the newest first.

    `runs["name"]` opens one, as what `opened` makes of it. Looks at the disk at every use: what
    other kernels have written is there.
    """

    def __init__(self, workspace: Workspace | None = None, opened: Opened = result) -> None:
        self._workspace = workspace
        self._opened = opened
        self._store: Store | None = None
        self._folder: Path | None = None

    @property
    def store(self) -> Store:
        """The store in the workspace's own data folder."""
        folder = (self._workspace or shared()).models.writable
        if self._store is None or self._folder != folder:
            self._store, self._folder = Store(folder), folder
        return self._store

    def list(self, pattern: str = "") -> RunTable:
        """All runs, the newest first; `pattern` is part of a name or of a model's."""
        expect(pattern, str, "Part of a name is text")
        wanted = pattern.casefold()
        return RunTable(
            run
            for run in self.store.listed()
            if any(wanted in name.casefold() for name in (run.name, *run.models))
        )

    def __getitem__(self, name: str) -> Any:
        """The run of that name, opened. Raises `RunNotFound`, which tells the nearest names."""
        return self._opened(self.store, self.find(name))

    def find(self, name: str) -> Run:
        """The run of that name, then without regard to case. Raises `RunNotFound`."""
        if not isinstance(name, str) or not name.strip():
            raise UsageError(f"A run's name is text, and not empty: {name!r:.80} is none.")
        if (run := self.store.run(name)) is not None:
            return run
        names = {listed.name: listed.run for listed in self.store.listed()}
        for known, run in names.items():
            if known.casefold() == name.strip().casefold():
                return run
        near = difflib.get_close_matches(name, names, 3, 0.4)
        hint = f" Nearest: {', '.join(near)}." if near else ""
        raise RunNotFound(f"There is no run {name!r}.{hint} `jan.runs` lists all.")

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.store.run(name) is not None

    def __iter__(self) -> Iterator[str]:
        return iter([listed.name for listed in self.store.listed()])

    def __len__(self) -> int:
        return len(self.store.listed())

    def join(self, *names: str, name: str = "") -> Any:
        """A new run of all the answers of several, opened; they stay as they are.

        The same prompts are one row. A model that several runs have asked the same prompts is a
        column for each run, else one column. Scores, votes and judgements come along. `name`:
        default "A + B".
        """
        if len(names) < 2:
            raise UsageError('It takes two runs to join: jan.runs.join("A", "B").')
        runs = [self.find(one) for one in names]
        results = [self.store.result(run) for run in runs]
        made = joined.join(results, [self.store.notes(run) for run in runs])
        notes = {**made.notes, **({PRICES: made.prices} if made.prices else {})}
        result = Result(made.grid, made.rows, " + ".join(run.name for run in runs))
        return self._opened(self.store, self.store.put(result, name, notes=notes))

    def delete(self, name: str) -> None:
        """Remove a run; its answers are not given out again."""
        self.store.delete(self.find(name))

    def rename(self, name: str, new: str) -> None:
        """Raises `RunError` if there is one of the new name."""
        self.store.rename(self.find(name), new)

    def export(self, name: str, path: Path | str, *, overwrite: bool = False) -> Path:
        """Write a run with all its answers into a file of JSON lines, for `import_` elsewhere.

        It holds what was asked and answered, and no key. A file that is there stays, unless
        `overwrite`.
        """
        run = self.find(name)
        told = exchange.Told(self.store.result(run), run.created, self.store.notes(run))
        return exchange.write(told, path, overwrite)

    def import_(self, path: Path | str, name: str = "") -> Any:
        """A run from such a file, opened; a name that is taken gets a number.

        Of a file that is damaged nothing is taken. Raises `UsageError`.
        """
        told = exchange.read(path)
        run = self.store.put(told.result, name, told.created, told.notes)
        return self._opened(self.store, run)

    def __repr__(self) -> str:
        return repr(self.list())

    def _repr_markdown_(self) -> str:
        return self.list()._repr_markdown_()

    def _repr_html_(self) -> str:
        return self.list()._repr_html_()


class RunTable(Sequence[Listed]):
    """Runs in a listing; it shows itself as a table."""

    def __init__(self, runs: Iterator[Listed] | Sequence[Listed]) -> None:
        self._runs = [*runs]

    @overload
    def __getitem__(self, index: int) -> Listed: ...
    @overload
    def __getitem__(self, index: slice) -> RunTable: ...
    def __getitem__(self, index: int | slice) -> Listed | RunTable:
        return RunTable(self._runs[index]) if isinstance(index, slice) else self._runs[index]

    def __len__(self) -> int:
        return len(self._runs)

    def _listing(self) -> Listing:
        return Listing(HEADINGS, [_cells(run) for run in self._runs], NUMBERS)

    def __repr__(self) -> str:
        return self._listing().text() if self._runs else NOTHING

    def _repr_markdown_(self) -> str:
        if not self._runs:
            return NOTHING
        rule = ["--:" if place in NUMBERS else ":--" for place in range(len(HEADINGS))]
        rows = [[_in_markdown(line(cell)) for cell in _cells(run)] for run in self._runs]
        return "\n".join(f"| {' | '.join(row)} |" for row in (HEADINGS, rule, *rows))

    def _repr_html_(self) -> str:
        return self._listing().html() if self._runs else f"<p>{escape(NOTHING)}</p>"


NOTHING = "There are no runs yet: jan.compare(prompts, models) makes one."
HEADINGS = ("Run", "Models", "Prompts", "Answers", "Failed", "Last")
NUMBERS = {2, 3, 4}
"""The columns that are set to the right."""


def _cells(run: Listed) -> tuple[str, ...]:
    prompts = f"{run.prompts:,}" + (f" × {run.repeats}" if run.repeats > 1 else "")
    done = f"{run.done:,}" + (f" of {run.calls:,}" if run.done < run.calls else "")
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(run.updated))
    return run.name, _models(run.models), prompts, done, str(run.failed or ""), when


def _models(names: Sequence[str], most: int = 4) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _in_markdown(text: str) -> str:
    """Text that is only text, in a cell of a Markdown table."""
    return "".join(f"&#{ord(c)};" if c in "\\`*_{}[]()<>#+!|~$&:@" else c for c in text)
