"""Run the notebooks and save their outputs: `make notebooks` (with `--check`: save nothing)."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parent.parent / "notebooks"


def run(path: Path, save: bool) -> None:
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(FOLDER)}}
    )
    client.execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # times differ in every run
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    if save:
        nbformat.write(notebook, path)
    print(f"{path.name}: {len(notebook.cells)} cells, without an error")


def main() -> None:
    save = "--check" not in sys.argv
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"JAN_DATA_FOLDER": folder, "JAN_HOMES": "none", "JAN_KEEP_ALIVE": "30"}
        for path in sorted(FOLDER.glob("*.ipynb")):
            run(path, save)


if __name__ == "__main__":
    main()
