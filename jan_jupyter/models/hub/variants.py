"""The quantisations of one model in a repository, and which of them suits a machine. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from ... import errors, units
from ..fit import OVERHEAD
from ..gguf import split_parts
from ..machine import Machine
from .plans import Wanted, stem


@dataclass(frozen=True, slots=True)
class Variant:
    """One quantisation in a repository: its files, the first part first."""

    quantisation: str
    files: Sequence[Wanted]

    @property
    def size(self) -> int:
        return sum(file.size or 0 for file in self.files)


_LABEL = re.compile(
    r"(?:^|[-_.])((?:UD-)?(?:IQ[1-4]_(?:XXS|XS|NL|[SM])|Q[2-8]_K_(?:XXL|XL|XS|[SML])|Q[2-8]_K"
    r"|Q[2-8]_[01]|Q[2-8]|TQ[12]_0|MXFP4(?:_MOE)?|NVFP4|BF16|FP16|F16|F32))(?=[-_.]|$)",
    re.IGNORECASE,
)


def quantisation_of(name: str) -> str:
    """What a file's name says of its quantisation; `""` if nothing."""
    found = _LABEL.findall(stem(name))
    return found[-1].upper() if found else ""


def variants_of(files: Iterable[Wanted]) -> list[Variant]:
    """The models among files: parts of a split one together, projectors and the like left out."""
    groups: dict[str, list[Wanted]] = {}
    for file in files:
        name = file.name.lower()
        if "mmproj" in name or "imatrix" in name:
            continue
        folder = file.url.rpartition("/")[0]  # some repositories have one for each quantisation
        groups.setdefault(f"{folder}/{stem(file.name)}", []).append(file)
    found = []
    for group in groups.values():
        group.sort(key=lambda file: file.name)
        parts = split_parts(Path(group[0].name))
        if [part.name for part in parts] == [file.name for file in group]:
            found.append(Variant(quantisation_of(group[0].name), tuple(group)))
    return sorted(found, key=lambda variant: variant.size)


def projector_of(files: Iterable[Wanted]) -> Wanted | None:
    """The projector of a repository: half precision if there is a choice."""
    found = {quantisation_of(f.name): f for f in files if "mmproj" in f.name.lower()}
    order = ("F16", "FP16", "Q8_0", "BF16", "F32")
    return next((found[name] for name in order if name in found), next(iter(found.values()), None))


def named_file(variants: Sequence[Variant], path: str, repository: str) -> Variant:
    wanted = f"{repository}/{unquote(path)}".casefold()
    for variant in variants:
        if any(wanted == file.what.casefold() for file in variant.files):
            return variant
    names = ", ".join(v.files[0].what.removeprefix(f"{repository}/") for v in variants[:12])
    raise errors.ModelNotFound(f"{repository} has no file {path}. It has: {names}.")


def named_variant(variants: Sequence[Variant], label: str, repository: str) -> Variant:
    for variant in variants:
        if label.casefold() in (
            variant.quantisation.casefold(),
            variant.quantisation[3:].casefold(),
        ):
            return variant
    inside = [v for v in variants if label.casefold() in v.files[0].name.casefold()]
    if len(inside) == 1:
        return inside[0]
    names = ", ".join(v.quantisation or v.files[0].name for v in variants)
    raise errors.ModelNotFound(f"{repository} has no quantisation {label}. It has: {names}.")


SMALL = 2 * 10**9
"""Bytes of an 8-bit model that is small enough to be preferred to its 4-bit one."""
_BALANCED = ("Q4_K_M", "UD-Q4_K_XL", "MXFP4", "Q4_K_S", "Q4_K", "Q4_0", "IQ4_XS", "Q4")
_FINER = ("Q5_K_M", "Q6_K", "Q8_0", "BF16", "F16", "FP16")


def rooms(machine: Machine) -> list[tuple[int, str]]:
    """Bytes that a model may take, and where: the GPUs first; the rest is for everything else."""
    gpu = sum(gpu.total for gpu in machine.gpus)
    memory = (int(machine.total * 0.75), f"{units.size(machine.total)} of memory")
    return [(int(gpu * 0.9), f"{units.size(gpu)} of GPU memory"), memory] if gpu else [memory]


def needed(size: int) -> int:
    """Bytes of memory that a model of so many bytes takes, with a context of some thousand tokens.

    A rule of thumb for choosing before anything is here; `fit.estimate` then knows better.
    """
    return int(size * 1.1) + OVERHEAD


def choose(variants: Sequence[Variant], machine: Machine) -> tuple[Variant, str]:
    """The quantisation for a machine, and why that one.

    `variants` come by size: within one repository more bytes are more quality, and less speed.
    """
    if len(variants) == 1:
        return variants[0], f"{_told(variants[0])}: the only one there."
    of = f"of {len(variants)} quantisations"
    places = rooms(machine)
    for variant in variants:
        if variant.quantisation == "Q8_0" and variant.size <= min(SMALL, machine.total // 5):
            return variant, f"{_told(variant)} {of}: for a small model 8 bits cost little."
    named = {variant.quantisation: variant for variant in variants}
    for names, what in (
        (_BALANCED, "the usual balance of quality, size and speed; "),
        (_FINER, ""),
    ):
        for room, where in places:
            for variant in (named[name] for name in names if name in named):
                if needed(variant.size) <= room:
                    return variant, f"{_told(variant)} {of}: {what}fits into {where}."
    room, where = max(places)
    fitting = [variant for variant in variants if needed(variant.size) <= room]
    if not fitting:
        return variants[0], f"{_told(variants[0])} {of}: the smallest; none fits well into {where}."
    return fitting[-1], f"{_told(fitting[-1])} {of}: the largest that fits into {where}."


def _told(variant: Variant) -> str:
    return f"{variant.quantisation or variant.files[0].name} ({units.size(variant.size)})"
