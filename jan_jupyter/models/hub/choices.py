"""What a repository offers: its quantisations, how large each is, and which one suits a machine."""

from __future__ import annotations

from dataclasses import dataclass

from ... import errors
from ..machine import Machine
from . import huggingface
from .sources import repository_of
from .variants import choose, needed, projector_of, rooms, variants_of
from .web import Web


@dataclass(frozen=True, slots=True)
class Choice:
    """One of them: `source` fetches it, with a projector for images if there is one; `size` in
    bytes. `chosen`: what is fetched if none is named, and `remark` says why."""

    source: str
    quantisation: str
    size: int | None
    chosen: bool = False
    remark: str = ""

    def fits(self, machine: Machine) -> str:
        """Whether a machine has the memory for it: `fits`, `too large`, or nothing known."""
        if not self.size:
            return ""
        return "fits" if needed(self.size) <= max(rooms(machine))[0] else "too large"


async def choices(source: str, machine: Machine) -> list[Choice]:
    """What `hf:org/repo` has, the smallest first. Raises `JanError`."""
    repository = repository_of(source)
    if repository is None:
        raise errors.UsageError("Only a repository (`hf:org/repo`) has several to choose from.")
    web = Web(huggingface.key)
    try:
        _, files = await huggingface.listing(repository, web)
    finally:
        await web.close()
    variants = variants_of(files)
    if not variants:
        raise errors.ModelNotFound(f"{repository} has no GGUF file.")
    best, why = choose(variants, machine)
    projector = projector_of(files)
    more = (projector.size or 0) if projector is not None else 0
    return [
        Choice(
            _source(repository, variant.quantisation, variant.files[0].what),
            variant.quantisation,
            variant.size + more if variant.size else None,
            variant is best,
            why if variant is best else "",
        )
        for variant in variants
    ]


def _source(repository: str, quantisation: str, file: str) -> str:
    return f"hf:{repository}:{quantisation}" if quantisation else f"hf:{file}"
