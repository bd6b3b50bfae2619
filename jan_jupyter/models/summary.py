"""What a listing tells about a model, from its description and the header of its file; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..engine_options.engine_rows import known_engines
from .fit import default_context
from .gguf import GGUFHeader
from .model import FOREIGN, Model
from .other_apps import quantisation_of

_ORIGINS = {
    "json": "data folder",
    "bare": "data folder",
    "cortex": "data folder (cortex)",
    "llamacpp": "data folder",
    "mlx": "data folder (mlx)",
    "remote-list": "data folder (list)",
    "bundled": "bundled",
}

_THINKS = re.compile(
    r"</?think>|enable_thinking|reasoning_effort|reasoning_content|\[THINK\]|START_THINKING"
)
"""What the chat templates of models that reason have, and others do not."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Empty or 0 where nobody says; `size` in bytes, `context` and `trained` in tokens.

    `size` is that of the file, or what the description promises of one that is not there;
    `context` is what a request may use, `trained` what the model was made for.
    """

    size: int = 0
    quantisation: str = ""
    context: int = 0
    trained: int = 0
    architecture: str = ""
    origin: str = ""
    remote: bool = False


def facts(model: Model, header: GGUFHeader | None) -> Facts:
    row = known_engines().get(model.engine)
    remote = row is not None and row.kind == "remote"
    given = model.settings.get("ctx_len") or 0
    names = [model.file.stem] if model.file else []
    names += [str(source.get("filename", "")).rpartition(".")[0] for source in model.sources]
    told = next(filter(None, map(quantisation_of, [*names, model.id])), "")
    return Facts(
        size=model.size or (0 if remote else model.metadata.get("size") or 0),
        quantisation="" if remote else (header.quantisation if header else "") or told,
        context=given or (default_context(header) if header else 0),
        trained=(header.context_length or 0) if header else 0,
        architecture=header.architecture if header else "",
        origin=FOREIGN.get(model.source) or _ORIGINS.get(model.source, model.source),
        remote=remote,
    )


def sees(model: Model) -> bool:
    """Whether a model takes images, as far as somebody says so."""
    told = model.projector or model.settings.get("vision_model")
    return bool(told) or "vision" in _words(model)


def reasons(model: Model, template: str) -> bool:
    """Whether a model thinks before it answers, as its description or its chat template tell."""
    told = any(word in ("reasoning", "thinking", "reasoner") for word in _words(model))
    return told or bool(_THINKS.search(template))


def _words(model: Model) -> Iterator[str]:
    """What its description says it can do, and its tags."""
    for name in ("capabilities", "tags"):
        found = model.metadata.get(name)
        yield from (str(word).casefold() for word in (found if isinstance(found, list) else ()))
