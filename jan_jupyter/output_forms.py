"""What JupyterLab draws our outputs from (`labextension/src/reply/protocol.ts` has the other half).

A form stands in an output beside its Markdown and its plain text. It repeats neither: `at` says
where in the plain text a text stands, and the form holds what these two do not tell. Pages that
know nothing of it show the Markdown. While an answer is written, its form is small and stays the
same, however long the answer has grown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypedDict

REPLY = "application/vnd.jan.reply+json"
CONVERSATION = "application/vnd.jan.conversation+json"
FORMAT = 1


class Part(TypedDict, total=False):
    """One answer of the output; what is not there is nothing."""

    at: Sequence[int]
    """Where it stands in the plain text, from and to, in UTF-16 units; without, it is all of it."""
    text: str
    """It itself, where the plain text is another one."""
    reasoning: str
    ended: str
    """Why it ended early, of one of several."""
    cut: bool
    """Whether it was cut at its longest length."""
    language: str
    """It is code alone, of that language (empty: of none that is known)."""


class SavedTurn(TypedDict, total=False):
    """A turn of a conversation; `at` as in `Part`."""

    role: str
    at: Sequence[int]
    context: Sequence[str]
    """What of the notebook went with it, by its labels."""
    images: int
    model: str
    footer: Sequence[str]
    reasoning: str
    error: str


class Answered(Protocol):
    """What a form needs of a `Reply`."""

    @property
    def text(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def engine(self) -> str: ...
    @property
    def reasoning(self) -> str: ...
    @property
    def finish(self) -> str | None: ...
    @property
    def error(self) -> str | None: ...
    @property
    def at(self) -> float | None: ...
    @property
    def ended_early(self) -> str: ...
    @property
    def choices(self) -> Sequence[Answered]: ...
    def provenance(self) -> dict[str, Any]: ...


class Card(TypedDict):
    """What went wrong; `message` is empty where the output of its cell tells it already."""

    title: str
    message: str
    mend: str


def writing(model: str, engine: str, wait: str = "", spans: Sequence[Sequence[int]] = ()) -> Any:
    """The form of an answer that is being written.

    With `wait`, what is awaited, there is no text yet. `spans` are those of several answers.
    """
    form: dict[str, Any] = {"format": FORMAT, "status": "writing", "model": model, "engine": engine}
    if wait:
        form["wait"] = wait
    if spans:
        form["parts"] = [{"at": span} for span in spans]
    return form


def ended(
    reply: Answered,
    footer: Sequence[str],
    parts: Sequence[Part],
    error: Card | None = None,
    place: Mapping[str, str] | None = None,
) -> Any:
    """The form of an answer that has ended.

    `parts` say of each of its choices where its text is; `place` names the thread (and message)
    that keeps it.
    """
    several = len(reply.choices) > 1
    form: dict[str, Any] = {
        "format": FORMAT,
        "status": "error" if reply.error else _STATUS.get(reply.finish or "", "done"),
        "model": reply.model,
        "engine": reply.engine,
        "name": name(reply),
        "parts": [
            {**part, **_about(choice, several)}
            for part, choice in zip(parts, reply.choices, strict=True)
        ],
        "footer": [*footer],
        "provenance": reply.provenance(),
        **(place or {}),
    }
    if error is not None:
        form["error"] = error
    return form


_STATUS = {"cancelled": "stopped"}


def _about(reply: Answered, several: bool) -> Part:
    part: Part = {}
    if reply.reasoning.strip():
        part["reasoning"] = reply.reasoning
    if several and reply.ended_early:
        part["ended"] = reply.ended_early
    if reply.finish == "length":
        part["cut"] = True
    return part


def conversation(panel: str, thread: str, title: str, turns: Sequence[SavedTurn]) -> Any:
    """The form of a conversation: `panel` hides it while it is alive in the page."""
    return {"format": FORMAT, "panel": panel, "thread": thread, "title": title, "turns": [*turns]}


def name(reply: Answered) -> str:
    """By which an answer is found again among those of a session."""
    about = f"{reply.at}\n{reply.model}\n{reply.engine}\n{reply.text}"
    return hashlib.sha256(about.encode("utf-8", "replace")).hexdigest()[:8]


def length(text: str) -> int:
    """How long JavaScript takes a text to be."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def stacked(texts: Sequence[str], titles: Sequence[str]) -> tuple[str, list[list[int]]]:
    """Texts one under another, each below its title, and where each stands."""
    pieces: list[str] = []
    spans = []
    at = 0
    for title, text in zip(titles, texts, strict=True):
        head = f"\n\n{title}\n\n" if pieces else f"{title}\n\n"
        begin = at + length(head)
        at = begin + length(text)
        spans.append([begin, at])
        pieces += [head, text]
    return "".join(pieces), spans
