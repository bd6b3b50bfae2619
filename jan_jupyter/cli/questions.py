"""`jan-jupyter chat` and `jan-jupyter compare`: their arguments, which are those of a cell but for
what only a notebook has."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator
from typing import Any

from ..commands import comparing as shared
from ..commands.asking import question
from ..commands.candidates import paths, runs, scorers
from ..commands.command import Argument, Caller, Candidates, Command, arg


def _chat(terminal: Caller, given: Namespace) -> int:
    from ..errors import UsageError
    from .given import question

    if len(getattr(given, "models", ())) > 1:
        raise UsageError("chat asks one model; `jan-jupyter compare` asks several.")
    if not given.words and sys.stdin is not None and sys.stdin.isatty():
        if sys.stdout.isatty():
            from . import talking

            return talking.run(given)
        given.words = ["-"]
    from .asking import run

    text, attached = question(given.words)
    return run(given, text, attached)


def _compare(terminal: Caller, given: Namespace) -> int:
    from .comparing import run

    return run(given)


_QUESTION = arg(
    "words", nargs="*", metavar="QUESTION", help="what is asked, after what a pipe brings"
)
_ONLY_CELLS = {"as_name", "tools", "raw", "yes", "sweeps", "repeat"}
_MODEL = "model to ask, or engine:model (%%jan models lists them)"


def of_chat() -> Iterator[Argument]:
    """Made when they are asked for: the table of parameters is read for them."""
    for one in question():
        match _name(one):
            case "model":
                yield _changed(one, help=_MODEL)
            case "attach":
                yield _attach(one)
            case "go_on":
                yield _changed(one, help="go on with the last thread")
            case "schema":
                yield _changed(one, paths, metavar="FILE", help="a JSON schema the answer fits")
            case name if name not in _ONLY_CELLS:
                yield one


def of_comparison() -> Iterator[Argument]:
    """Made when they are asked for, as those of `chat`."""
    from ..parameters import OFFERED

    for one in question():
        # `--seed` is that of the order here, as in cells; that of models is a parameter.
        if _name(one) == "attach":
            yield _attach(one)
        elif _name(one) in OFFERED and _name(one) != "seed":
            yield one


def _name(argument: Argument) -> str:
    """The attribute that it fills."""
    return str(argument.options.get("dest") or argument.names[-1].lstrip("-").replace("-", "_"))


def _attach(argument: Argument) -> Argument:
    """The same, of what there is in a terminal: files."""
    help_ = "send a picture, a PDF or a text file; may be given several times"
    named = argument._replace(names=(*argument.names, "--image"))
    return _changed(named, paths, dest="attach", metavar="FILE", help=help_)


def _changed(argument: Argument, candidates: Candidates | None = None, **options: Any) -> Argument:
    return argument._replace(
        options={**argument.options, **options}, candidates=candidates or argument.candidates
    )


def _file(name: str, help: str) -> Argument:
    return arg(name, metavar="FILE", candidates=paths, help=help)


CHAT = Command(
    "chat",
    _chat,
    "ask a model; without a question: a conversation",
    (_QUESTION,),
    details="""\
  jan-jupyter chat -m MODEL "Why is the sky blue?"
  cat notes.txt | jan-jupyter chat -m MODEL "Summarise this."
  jan-jupyter chat -m MODEL --image plot.png "What does it show?" > answer.md
  jan-jupyter chat --thread "trip to Rome"

What a pipe brings stands above the question; a picture from a pipe is attached. Nothing is kept but
in threads. Ctrl-C stops an answer; what came of it is kept.""",
)
COMPARE = Command(
    "compare",
    _compare,
    "ask several models, and see what differs",
    (
        _QUESTION,
        shared.MODELS,
        _file("--prompts", "questions: the lines of a .txt, a list in .json, or .jsonl"),
        _file("--over", "a .csv, .json or .jsonl whose columns fill `{column}` in the question"),
        shared.REPEAT,
        shared.SWEEPS,
        shared.PARAMETERS,
        shared.SYSTEM,
        arg(
            "--scorer",
            dest="scorers",
            action="append",
            default=[],
            metavar="NAME",
            candidates=scorers,
            help="what scores an answer: exact, contains, judge:MODEL …",
        ),
        arg(
            "--expected",
            metavar="WHAT",
            candidates=paths,
            help="what is expected: a column of --over, or a file as --prompts takes",
        ),
        shared.SEED,
        arg(
            "--name",
            "--as",
            dest="as_name",
            metavar="NAME",
            candidates=runs,
            help="keep the run under this name",
        ),
        shared.BUDGET,
        _file("--prices", "a .json of what models cost: money for a million tokens"),
        shared.FRESH,
        shared.YES,
        shared.DRY_RUN,
        arg(
            "--save",
            action="append",
            default=[],
            metavar="FILE",
            candidates=paths,
            help="write it as .html, .md, .json, .jsonl or .csv; may be given several times",
        ),
    ),
    details="""\
  jan-jupyter compare -m A -m B --repeat 3 "Name a colour."
  jan-jupyter compare -m A -m B --over cities.csv --expected capital --scorer exact \\
      "What is the capital of {country}?" --save cities.html

What has been asked in the same way is not asked again, wherever that was; what failed is.""",
)
