"""Which thread a cell goes on with, as a new kernel finds it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from jan_jupyter.panel import cells
from jan_jupyter.panel.cells import Cell
from jan_jupyter.workspace import Workspace


@pytest.fixture
def new_kernel(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def forget() -> None:
        monkeypatch.setattr(cells, "_known", {})

    forget()
    return forget


def notebook(path: Path, thread: str) -> str:
    output = nbformat.v4.new_output("display_data", {"text/plain": ""})
    output.metadata = {"jan": {"panel": "p", "thread": thread}}
    written: Any = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("%jan chat", id="one", outputs=[output])]
    )
    nbformat.write(written, path)
    return str(path)


def test_a_new_kernel_goes_on_with_the_thread_of_a_cell(
    new_kernel: Callable[[], None], tmp_path: Path
) -> None:
    workspace = Workspace()
    store = workspace.threads
    thread = store.create("Plans")
    cell = Cell("/n.ipynb", "one")
    cells.remember(cell, thread.id, workspace)
    new_kernel()
    found = cells.thread_of(cell, workspace)
    assert found is not None
    assert found.id == thread.id
    assert cells.thread_of(Cell("/n.ipynb", "two"), workspace) is None
    cells.remember(cell, "", workspace)  # *New thread*
    new_kernel()
    assert cells.thread_of(cell, workspace) is None

    moved = Cell(notebook(tmp_path / "moved.ipynb", thread.id), "one")
    found = cells.thread_of(moved, workspace)
    assert found is not None
    assert found.id == thread.id
    store.delete(thread.id)
    assert cells.thread_of(moved, workspace) is None


def test_a_notebook_from_elsewhere_opens_no_thread_by_its_title(
    new_kernel: Callable[[], None], tmp_path: Path
) -> None:
    workspace = Workspace()
    store = workspace.threads
    store.create("Diary")
    cell = Cell(notebook(tmp_path / "theirs.ipynb", "Diary"), "one")
    assert cells.thread_of(cell, workspace) is None


def test_a_workspace_keeps_its_cells_in_its_own_folder(
    new_kernel: Callable[[], None], tmp_path: Path
) -> None:
    one, other = Workspace(tmp_path / "one"), Workspace(tmp_path / "other")
    thread = one.threads.create("Plans")
    cell = Cell("/n.ipynb", "one")
    cells.remember(cell, thread.id, one)
    assert (tmp_path / "one" / "panels" / cell.key).read_text("utf-8") == thread.id
    assert cells.thread_of(cell, other) is None
    cells.remember(cell, other.threads.create("Others").id, other)
    found = cells.thread_of(cell, one)
    assert found is not None
    assert found.id == thread.id
