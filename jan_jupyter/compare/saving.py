"""A comparison as a file that others read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from time import localtime, strftime

from .. import assets
from ..errors import UsageError
from ..models.disk import told, write_text
from . import records
from .scoring.votes import Vote
from .shown import Shown
from .values import Result


def save(
    result: Result, shown: Shown, path: str | Path, votes: Sequence[Vote] = (), ended: str = ""
) -> Path:
    """Write it as the name's ending says; what is there is replaced. Gives the path.

    `ended`: why not all was asked. Raises `UsageError` for another ending, `CannotWrite` for what
    the disk refuses.
    """
    path = Path(path).expanduser()
    if (ending := ending_of(path)) == ".html":
        text = _page(result, shown, votes, ended)
    else:
        text = _text(result, shown, ending)
    with told(path):
        write_text(path, text)
    return path


def ending_of(path: str | Path) -> str:
    """How it is written. Raises `UsageError` for another ending."""
    if (ending := Path(path).suffix.lower()) not in (".csv", ".json", ".jsonl", ".md", ".html"):
        raise UsageError(
            f"A comparison is saved as .csv, .json, .jsonl, .md or .html, not as {ending!r}."
        )
    return ending


def _text(result: Result, shown: Shown, ending: str) -> str:
    match ending:
        case ".csv":
            return records.as_csv(result)
        case ".json":
            return records.as_json(result)
        case ".jsonl":
            return records.as_jsonl(result)
    return shown._repr_markdown_() + "\n"


def _page(result: Result, shown: Shown, votes: Sequence[Vote], ended: str) -> str:
    from .live.document import document
    from .views.report import report

    made = f"Made by jan_jupyter, {strftime('%Y-%m-%d', localtime())}."
    try:
        script = assets.source("page")
    except UsageError:  # a checkout without the front end: the page is whole without a script, too
        return report(shown.board, made)
    return report(shown.board, made, document(result, votes=votes, ended=ended), script)
