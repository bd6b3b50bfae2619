"""What JupyterLab's side panel asks of a kernel: its variables, by an expression beside its cells.

The page finds cells, outputs and files by itself. Its end is
`labextension/src/lab/panel/variables.ts`.
"""

from __future__ import annotations

from typing import Any

from IPython.core.getipython import get_ipython

from . import context

LONGEST = 20_000
"""Characters of one thing; what is longer is cut, and says so."""


class Told:
    """A value that a kernel sends as JSON when an expression gives it."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        return {"application/json": self.value}


def complete(text: str) -> Told:
    """Variables that may stand for a reference that has begun with `text` (`@…`): objects with
    `insert`, `label` and `detail`."""
    known = _variables()
    found = context.complete(text, known)
    return Told([one._asdict() for one in found if one.label[1:] in known.names])


def resolve(text: str) -> Told:
    """What the `@name`s of a text stand for: objects with `label`, `text`, and `cut`, the number of
    characters that were left out."""
    return Told([_cut(one["label"], one["text"]) for one in context.resolve(text, _variables())])


def _cut(label: str, text: str) -> dict[str, Any]:
    cut = max(0, len(text) - LONGEST)
    if cut:
        text = f"{text[:LONGEST]}\n… ({cut:,} more characters left out)"
    return {"label": label, "text": text, "cut": cut}


def _variables() -> context.Notebook:
    found = context.notebook(get_ipython(), {})
    return found._replace(cells={}, error=None)
