"""`%jan embed`, `%jan speak`: what a model does with a text besides answering it."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from .. import units
from .candidates import ready_models
from .command import Caller, Command, Work, arg
from .screen import say
from .shared import workspace

if TYPE_CHECKING:
    from ..types import Audio, Embeddings


def embed(magics: Caller, arguments: Namespace) -> Work:

    text = " ".join(arguments.text)
    return Work(workspace().router.embed([text] if text else [], arguments.model), _embedded)


def _embedded(found: Embeddings) -> Embeddings:
    size = len(found[0])
    say(f"{size:,} numbers from {found.model} ({found.usage.prompt:,} tokens); the value has them.")
    return found


def speak(magics: Caller, arguments: Namespace) -> Work:

    given = {} if arguments.voice is None else {"voice": arguments.voice}
    return Work(
        workspace().router.speak(" ".join(arguments.text), arguments.model, **given), _spoken
    )


def _spoken(audio: Audio) -> Audio:
    from .tables import show

    said = f"{units.size(len(audio.data))} of {audio.content_type} from {audio.model}"
    show({"text/html": audio._repr_html_(), "text/plain": f"{said}; .save(path) keeps it."})
    return audio


_TEXT = arg("text", nargs="*", help="what to send")
_MODEL = arg("-m", "--model", candidates=ready_models, help="model to ask")

COMMANDS = (
    Command("embed", embed, "a vector for a text", (_MODEL, _TEXT)),
    Command(
        "speak",
        speak,
        "a text, spoken",
        (_MODEL, arg("--voice", help="one of the model's voices"), _TEXT),
    ),
)
