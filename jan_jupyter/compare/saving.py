"""A comparison as a file that others read."""

from __future__ import annotations

from pathlib import Path
from time import localtime, strftime

from ..errors import UsageError
from ..models.disk import told, write_text
from . import records
from .shown import Shown
from .values import Result


def save(result: Result, shown: Shown, path: str | Path) -> Path:
    """Write it as the name's ending says; what is there is replaced. Gives the path.

    Raises `UsageError` for another ending, `CannotWrite` for what the disk refuses.
    """
    path = Path(path).expanduser()
    text = _text(result, shown, path.suffix.lower())
    with told(path):
        write_text(path, text)
    return path


def _text(result: Result, shown: Shown, ending: str) -> str:
    match ending:
        case ".csv":
            return records.as_csv(result)
        case ".jsonl":
            return records.as_jsonl(result)
        case ".md":
            return shown._repr_markdown_() + "\n"
        case ".html":
            from .views.report import report

            return report(shown.board, f"Made by jan_jupyter, {strftime('%Y-%m-%d', localtime())}.")
    raise UsageError(f"A comparison is saved as .csv, .jsonl, .md or .html, not as {ending!r}.")
