"""`%jan threads`: the conversations that are kept."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import errors
from .candidates import Offer, paths
from .candidates import threads as names
from .command import Caller, Command, Told, arg
from .screen import say
from .shared import workspace

if TYPE_CHECKING:
    from ..threads import Hit, Listed, Thread


def threads(magics: Caller, arguments: Namespace) -> Any:
    verb, *rest = arguments.words or ["list"]
    act = _ACTIONS.get(verb)
    if act is None:
        return listing(verb)
    return act[0](*rest, to=arguments.to) if verb == "export" else act[0](*rest)


def listing(pattern: str = "") -> Told:
    def shown(found: list[Listed]) -> list[Listed]:
        _listed(found, pattern)
        return found

    return Told(workspace().threads.list(pattern), shown)


def _listed(found: list[Listed], pattern: str) -> None:
    from ..markdown import words
    from .tables import ago, table

    rows = [
        (
            words(t.title, 40),
            t.model or "",
            ago(t.updated),
            t.reason or _line(t.last_message),
        )
        for t in found
    ]
    nothing = f"No thread's title contains {pattern!r}." if pattern else "No threads."
    table(("thread", "model", "last", "remark"), rows, "" if rows else nothing, remarks=True)


def _line(text: str) -> str:
    from ..console import printable
    from ..markdown import words

    return printable(words(text, 80))


def show(name: str) -> Told:
    return Told(workspace().threads.get(name), _shown)


def _shown(thread: Thread) -> Thread:
    from .. import markdown
    from ..console import printable
    from .tables import show

    text = thread.export()
    show({"text/markdown": markdown.safe(text), "text/plain": printable(text)})
    return thread


def rename(name: str, title: str) -> Told:
    thread = workspace().threads.get(name)
    before = thread.title
    thread.rename(title)
    return _said(thread, f"{before} is now {thread.title}.")


def _said(value: Any, line: str) -> Told:
    """What has been done, and the line that says so."""

    def shown(value: Any) -> Any:
        say(line)
        return value

    return Told(value, shown)


def export(name: str, to: str | None = None) -> Told:
    if not to:
        raise errors.UsageError("%jan threads export NAME --to FILE: .md, .ipynb or .jsonl")
    path = Path(to).expanduser()
    text = workspace().threads.get(name).export(path.suffix)
    try:
        with open(path, "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise errors.UsageError(f"{path} is there already; choose another name.") from None
    except OSError as error:
        if path.is_file():  # the first half of it is no thread
            path.unlink()
        raise errors.UsageError(f"{path} cannot be written: {error.strerror}.") from error
    return _said(path, f"Exported to {path}.")


def import_(file: str) -> Told:
    thread = workspace().threads.import_(file)
    return _said(thread, f"Imported as {thread.title}: {len(thread.messages)} messages.")


def rm(name: str) -> Told:
    thread = workspace().threads.get(name)
    id, title = thread.id, thread.title
    workspace().threads.delete(name)

    def shown(id: str) -> None:
        say(f"{title} is deleted.")

    return Told(id, shown)


def search(*words: str) -> Told:
    text = " ".join(words)

    def shown(found: Sequence[Hit]) -> Sequence[Hit]:
        _found(found, text)
        return found

    return Told(workspace().threads.search(text), shown)


def _found(found: Sequence[Hit], text: str) -> None:
    from ..console import printable
    from ..markdown import words as without_marks
    from .tables import table

    rows = [
        (
            without_marks(hit.thread.title, 30),
            hit.role,
            printable(without_marks(hit.excerpt, 500)),
        )
        for hit in found
    ]
    table(("thread", "who", "text"), rows, "" if rows else f"No message contains {text!r}.")


_ACTIONS: Mapping[str, tuple[Callable[..., Any], int]] = {
    "list": (listing, 0),
    "show": (show, 1),
    "rename": (rename, 2),
    "export": (export, 1),
    "import": (import_, 1),
    "rm": (rm, 1),
    "search": (search, 1),
}
"""Each word that may follow, what it does, and how many more words it takes."""


def is_question(words: Sequence[str]) -> bool:
    if not words or words[0] not in _ACTIONS:
        return len(words) > 1
    taken = len(words) - 1
    return taken < 1 if words[0] == "search" else taken != _ACTIONS[words[0]][1]


def candidates(current: str) -> Offer:
    return [*((verb, "command") for verb in _ACTIONS), *names(current)]


COMMANDS = (
    Command(
        "threads",
        threads,
        "list the threads that are kept; show, search, export … one",
        (
            arg(
                "words",
                nargs="*",
                metavar="FILTER",
                candidates=candidates,
                help="a part of the titles to list, or an action with the name of a thread",
            ),
            arg("--to", metavar="FILE", candidates=paths, help="for export: .md, .ipynb, .jsonl"),
        ),
        details="""\
  %jan threads show NAME
  %jan threads search TEXT
  %jan threads rename NAME "NEW NAME"
  %jan threads export NAME --to FILE     Markdown, a notebook, or Jan's lines
  %jan threads import FILE               .jsonl, a notebook, a thread's folder
  %jan threads rm NAME

A name of several words is put into quotes. `%%jan --thread NAME` goes on with a thread, or makes
it; a cell that runs again replaces its turn.""",
        is_question=is_question,
    ),
)
