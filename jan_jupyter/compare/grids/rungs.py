"""The rungs of a ladder: the quantisations of one model that are on this machine.

Files tell what they are by their headers; a name alone makes nobody a quantisation of another. It
looks at files: not on the loop.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import ModelBroken, UsageError
from ...models.gguf import GGUFHeader, read_header
from ...models.model import Model
from ...models.store import ModelStore
from ...parameters import PARAMETERS

DRIFT = 0.001
"""The share of its weights by which converters differ that write the same model."""


@dataclass(frozen=True, slots=True)
class Rung:
    """A model's file, and settings with which it is loaded."""

    name: str
    """As a column is called: the quantisation, and what is set."""
    model: Model
    quantisation: str
    settings: Mapping[str, Any]

    @property
    def contestant(self) -> tuple[Any, ...]:
        """As `grid` takes one."""
        return self.name, self.model, {}, self.settings


def rungs(
    model: Model, store: ModelStore, settings: Any = (), more: Iterable[Model] = ()
) -> list[Rung]:
    """All quantisations of a model that are ready here, the largest file first; then the model
    itself with each of `settings` (a mapping, or several).

    The same architecture, layers, vocabulary and number of weights, and the same name in the
    header; of `more` the name does not count. One file, or one that is a copy by quantisation and
    size, stands there once. Raises `UsageError` for what is no GGUF file here, or of `more` another
    model.
    """
    told = _readable(model)
    found: dict[tuple[str, int], tuple[Model, GGUFHeader]] = {
        (told.quantisation, told.size): (model, told)
    }
    for other in more:
        header = _readable(other)
        if not alike(told, header):
            raise UsageError(
                f"{other.reference} is no quantisation of {model.reference}: its layers, weights or"
                " vocabulary are others. `jan.compare` compares any models."
            )
        found.setdefault((header.quantisation, header.size), (other, header))
    for other in store.list():
        if other.state != "ready" or other.engine != model.engine:
            continue
        brief = store.header(other)
        if brief is None or brief.architecture != told.architecture:
            continue  # a whole header takes longer
        whole = _header(other)
        if whole is not None and same(told, whole):
            found.setdefault((whole.quantisation, whole.size), (other, whole))
    files = sorted(found.values(), key=lambda one: -one[1].size)
    labels = [header.quantisation for _, header in files]
    made = [
        Rung(
            label if labels.count(label) == 1 else f"{label} {one.reference}",
            one,
            header.quantisation,
            {},
        )
        for label, (one, header) in zip(labels, files, strict=True)
    ]
    return [*made, *_set(made, model, settings)]


def _readable(model: Model) -> GGUFHeader:
    header = _header(model)
    if header is None:
        raise UsageError(
            f"A ladder compares the files of one model, and {model.reference} ({model.engine}) has"
            " no GGUF file here that can be read."
        )
    return header


def _header(model: Model) -> GGUFHeader | None:
    if model.file is None:
        return None
    try:
        return read_header(model.file)
    except ModelBroken:
        return None


def same(one: GGUFHeader, other: GGUFHeader) -> bool:
    """Whether two files hold the same model, as far as their headers tell."""
    name = _letters(one.name)
    return bool(name) and name == _letters(other.name) and alike(one, other)


def alike(one: GGUFHeader, other: GGUFHeader) -> bool:
    """Whether two files hold models of the same kind and size, with the same vocabulary."""
    counts = one.parameter_count, other.parameter_count
    fields = "architecture", "block_count", "embedding_length", "head_count", "vocabulary"
    return abs(counts[0] - counts[1]) <= DRIFT * max(counts) and all(
        getattr(one, name) == getattr(other, name) for name in fields
    )


def _letters(name: str) -> str:
    """A name as converters agree on it: they do not on blanks and signs."""
    return "".join(char for char in name.casefold() if char.isalnum())


def _set(made: Sequence[Rung], model: Model, settings: Any) -> Iterable[Rung]:
    """The model with each of the settings that were given."""
    base = next(rung for rung in made if rung.model is model)
    several = [settings] if isinstance(settings, Mapping) else settings
    if isinstance(several, str) or not isinstance(several, Iterable):
        raise UsageError(f"`settings` are mappings of names to values, not {several!r:.80}.")
    for one in several:
        if not isinstance(one, Mapping) or not one:
            raise UsageError(f"A setting is a mapping of names to values, not {one!r:.80}.")
        if wrong := next((name for name in one if name in PARAMETERS), None):
            raise UsageError(
                f"{wrong} is a parameter of requests, not a setting with which a model is loaded:"
                " `jan.compare` compares values of it."
            )
        told = " · ".join(f"{name} {value}" for name, value in one.items())
        yield Rung(f"{base.name} · {told}", model, base.quantisation, one)
