"""Run the notebooks and save their outputs: `make notebooks` (with `--check`: save nothing)."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from jan_jupyter import ModelStore
from jan_jupyter.errors import JanError

WIDGET = "application/vnd.jupyter.widget-view+json"
FOLDER = Path(__file__).parent.parent / "notebooks"


REAL = "smollm2-135m"

SHOWN_AS = "~/jan"
"""What stands in saved outputs for the data folder of a run."""


def run(path: Path, save: bool) -> None:
    """Run a notebook with a data folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"JAN_DATA_FOLDER": folder, "JAN_HOMES": "none", "JAN_KEEP_ALIVE": "30"}
        if save and REAL in path.read_text("utf-8"):
            real_model(Path(folder))
        notebook = executed(path)
        text = nbformat.writes(notebook).replace(folder, SHOWN_AS)
    if save:
        path.write_text(text + "\n", "utf-8")
    print(f"{path.name}: {len(notebook.cells)} cells, without an error")


def real_model(folder: Path) -> None:
    """Fetch the model that a notebook uses where it is there: what is saved should show it."""
    try:
        ModelStore(folder).pull(REAL, quiet=True)
    except JanError as error:
        print(f"Saved without {REAL}: {error}")


def executed(path: Path) -> nbformat.NotebookNode:
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(FOLDER)}}
    )
    client.execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # times differ in every run
        for output in cell.get("outputs", ()):
            output.get("data", {}).pop(WIDGET, None)  # of a kernel that is gone
    ours = {"jan": notebook.metadata.jan} if "jan" in notebook.metadata else {}
    notebook.metadata = {
        **ours,
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return notebook


def main() -> None:
    save = "--check" not in sys.argv
    for path in sorted(FOLDER.glob("*.ipynb")):
        run(path, save)


if __name__ == "__main__":
    main()
