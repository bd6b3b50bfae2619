"""What `@…` in a question brings along: a variable, a cell, a file, the last error.

Describing a value runs the user's own code (`__repr__`), so `resolve` is for the kernel's main
thread alone; `complete` only looks at names and types.
"""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ..conversation.protocol import Context

_REFERENCE = re.compile(
    r"(?:(?<=\s)|^)@("
    r"""file:(?:'[^'\n]+'|"[^"\n]+"|[^\s'"]\S*)|"""
    r"cell(?::\d+)?|error|[^\W\d]\w*(?:\.\w+)*)"
)
LARGEST_FILE = 10**6


class Candidate(NamedTuple):
    """What may be typed, and what it is."""

    insert: str
    label: str
    detail: str


class Notebook(NamedTuple):
    """What of a running notebook a question may refer to."""

    names: Mapping[str, Any]
    cells: Mapping[int, str]
    """Sources of the executed cells, by their number."""
    error: BaseException | None
    folder: Path


def notebook(shell: Any, names: Mapping[str, Any]) -> Notebook:
    """The notebook of an IPython shell, as it is now; without one (marimo) it has these `names`."""
    import sys

    names = dict(shell.user_ns if shell is not None else names)
    hidden = getattr(shell, "user_ns_hidden", {})
    history = getattr(shell, "history_manager", None)
    sources = enumerate(history.input_hist_raw if history else ())  # `In` has magics as Python
    return Notebook(
        {k: v for k, v in names.items() if not k.startswith("_") and k not in hidden},
        {number: text for number, text in sources if number and text.strip()},
        getattr(sys, "last_value", None),
        Path.cwd(),
    )


def resolve(text: str, notebook: Notebook) -> list[Context]:
    """What the references of a question stand for; one that means nothing here stays a word."""
    found: dict[str, str] = {}
    for match in _REFERENCE.finditer(text):
        name = match[1]
        if name not in found and (described := _described(name, notebook)) is not None:
            found[name] = described
    return [{"label": f"@{name}".replace('"', "'"), "text": text} for name, text in found.items()]


def complete(text: str, notebook: Notebook) -> list[Candidate]:
    """What may stand for a reference that has begun with `text` (`@…`)."""
    word = text.removeprefix("@")
    if word.startswith("file:"):
        return [*_files(word.removeprefix("file:").lstrip("'\""), notebook.folder)][:50]
    candidates = [
        *(Candidate(f"@{n} ", f"@{n}", _kind(v)) for n, v in notebook.names.items() if _is_data(v)),
        Candidate("@cell ", "@cell", "the last cell that ran"),
        Candidate("@error ", "@error", "the last error, with its traceback"),
        Candidate("@file:", "@file:…", "a text file"),
    ]
    absent = ("@error" if notebook.error is None else "", "" if notebook.cells else "@cell")
    candidates = [c for c in candidates if c.label not in absent]
    if word.startswith("cell:"):
        candidates = [
            Candidate(f"@cell:{number} ", f"@cell:{number}", source.strip().splitlines()[0][:80])
            for number, source in reversed([*notebook.cells.items()])
        ]
    return [c for c in candidates if c.label.lower().startswith(f"@{word}".lower())][:50]


def _described(name: str, notebook: Notebook) -> str | None:
    if name.startswith("file:"):
        path = re.sub(r"""^(['"])(.*)\1$""", r"\2", name.removeprefix("file:"))
        return _file(notebook.folder / Path(path).expanduser())
    if name == "error" and notebook.error is not None:
        return "".join(traceback.format_exception(notebook.error)).strip()
    if name == "cell" and notebook.cells and "cell" not in notebook.names:
        return notebook.cells[max(notebook.cells)]
    if name.startswith("cell:"):
        return notebook.cells.get(int(name.removeprefix("cell:")))
    head, *rest = name.split(".")
    if head not in notebook.names:
        return None
    value = notebook.names[head]
    try:
        for attribute in rest:
            value = getattr(value, attribute)
        return describe(value)
    except Exception as error:  # the user's code
        return f"{name} cannot be shown: {type(error).__name__}: {error}"


def describe(value: Any) -> str:
    """A value as a model can read it: tables with their shape, types and first rows."""
    kind = type(value).__name__
    if isinstance(value, str):
        return value
    if hasattr(value, "to_string") and hasattr(value, "head") and hasattr(value, "shape"):
        types = getattr(value, "dtypes", "")
        return f"{kind} of shape {value.shape}\n\n{types}\n\n{value.head(20).to_string()}"
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"{kind} of shape {tuple(value.shape)}, {value.dtype}\n\n{value!r}"
    if isinstance(value, FunctionType | type):
        import inspect

        try:
            return inspect.getsource(value)
        except (OSError, TypeError):
            return repr(value)
    return f"{kind}\n\n{value!r}"


def _file(path: Path) -> str | None:
    if not path.is_file():
        return None
    if path.stat().st_size > LARGEST_FILE:
        return f"{path.name} is larger than 1 MB and was left out."
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        return f"{path.name} is no text and was left out."
    except OSError as error:
        return f"{path.name} cannot be read: {error.strerror}."


def _files(begun: str, folder: Path) -> Iterator[Candidate]:
    head, _, start = begun.rpartition("/")
    place = folder / Path(head).expanduser() if head else folder
    if begun.startswith("/") and not head:
        place = Path("/")
    try:
        entries = sorted(os.scandir(place), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith(".") or not entry.name.startswith(start):
            continue
        path = f"{head}/{entry.name}" if head or begun.startswith("/") else entry.name
        quote = "" if not re.search(r"\s", path) else '"' if "'" in path else "'"
        if entry.is_dir():
            yield Candidate(f"@file:{quote}{path}/", f"@file:{path}/", "folder")
        else:
            yield Candidate(f"@file:{quote}{path}{quote} ", f"@file:{path}", _size(entry))


def _size(entry: os.DirEntry[str]) -> str:
    try:
        return f"{entry.stat().st_size:,} bytes"
    except OSError:
        return ""


def _is_data(value: Any) -> bool:
    return not isinstance(value, ModuleType) and not (
        callable(value) and not isinstance(value, FunctionType | type)
    )


def _kind(value: Any) -> str:
    return type(value).__name__
