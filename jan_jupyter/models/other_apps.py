"""Models of other programs, where they lie: nothing is copied, nothing there is ever written.

LM Studio     <home>/models/<publisher>/<model>/*.gguf
Ollama        <home>/manifests/<host>/<namespace>/<model>/<tag>, which names blobs/sha256-…
Hugging Face  <hub>/models--<org>--<name>/snapshots/<revision>/…, links into blobs/
llama.cpp     <cache>/<org>_<repository>_<file>.gguf, beside manifest=<org>=<repository>=<tag>.json
GPT4All       <folder>/*.gguf
folder        any tree with .gguf files that the user names
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import ModelBroken
from ..parameters import OLLAMA_NAMES, PARAMETERS, SETTINGS, collect
from ..reading import MAX_JSON, decoded, read_bytes
from ..watch import Listing, Look, Watch
from . import gguf
from .files import is_projector
from .scan import Found
from .schema import Description

# Where they are -----------------------------------------------------------------------------------


def roots(
    kind: str,
    platform: str = sys.platform,
    environment: Mapping[str, str] = os.environ,
    home: Path | None = None,
) -> list[Path]:
    """The folders of a home that may exist, the likeliest first; by default on this machine."""
    home = Path(os.path.expanduser("~")) if home is None else home
    given = {name: Path(value).expanduser() for name, value in environment.items() if value}
    cache = given.get("XDG_CACHE_HOME", home / ".cache")
    local = given.get("LOCALAPPDATA", home / "AppData" / "Local")
    match kind:
        case "lmstudio":
            return _lmstudio(home)
        case "ollama":
            if "OLLAMA_MODELS" in given:
                return [given["OLLAMA_MODELS"]]
            system = [Path("/usr/share/ollama/.ollama/models"), Path("/var/lib/ollama/models")]
            return [home / ".ollama" / "models", *(system if platform == "linux" else [])]
        case "huggingface":
            hub = given.get("HF_HUB_CACHE") or given.get("HUGGINGFACE_HUB_CACHE")
            return [hub or given.get("HF_HOME", cache / "huggingface") / "hub"]
        case "llama.cpp":
            if "LLAMA_CACHE" in given:
                return [given["LLAMA_CACHE"]]
            bases = {"darwin": home / "Library" / "Caches", "win32": local}
            return [bases.get(platform, cache) / "llama.cpp"]
        case "gpt4all":
            bases = {"darwin": home / "Library" / "Application Support", "win32": local}
            data = given.get("XDG_DATA_HOME", home / ".local" / "share")
            base = bases.get(platform, data) / "nomic.ai" / "GPT4All"
            return [*_gpt4all_chosen(platform, given, home), base, home / ".cache" / "gpt4all"]
    return []


def _lmstudio(home: Path) -> list[Path]:
    bases = [home / ".lmstudio", home / ".cache" / "lm-studio"]
    pointer = _text(home / ".lmstudio-home-pointer").strip()
    if pointer and os.path.isabs(pointer):
        bases.insert(0, Path(pointer))
    found = []
    for base in bases:
        try:
            chosen = json.loads(_text(base / "settings.json") or "{}").get("downloadsFolder")
        except (ValueError, AttributeError):
            chosen = None
        if isinstance(chosen, str) and os.path.isabs(chosen):
            found.append(Path(chosen))
        found.append(base / "models")
    return found


def _gpt4all_chosen(platform: str, given: Mapping[str, Path], home: Path) -> Iterator[Path]:
    """The folder that its settings name."""
    config = given.get("XDG_CONFIG_HOME", home / ".config")
    bases = {"darwin": home / ".config", "win32": given.get("APPDATA", home)}
    settings = _text(bases.get(platform, config) / "nomic.ai" / "GPT4All.ini")
    if match := re.search(r"^modelPath=(.+)$", settings, re.MULTILINE):
        path = match[1].strip().strip('"')
        if os.path.isabs(path):
            yield Path(path)


def _text(path: Path) -> str:
    try:
        return decoded(read_bytes(path, 2**20)[0], path)
    except ModelBroken:
        return ""


# What they hold -----------------------------------------------------------------------------------


def scan(kind: str, root: str, watch: Watch) -> Iterable[Found]:
    """The models below one root of a home, in order of their names."""
    match kind:
        case "lmstudio":
            found = _tree("lmstudio", root, watch)
        case "ollama":
            found = _manifests(root, watch)
        case "huggingface":
            found = _hub(root, watch)
        case "llama.cpp":
            found = _llama_cpp(root, watch)
        case "gpt4all":
            found = _flat(root, watch)
        case _:
            found = _tree("folder", root, watch)
    return sorted(found, key=lambda item: (item.id, item.path))


def _tree(kind: Any, root: str, watch: Watch) -> Iterator[Found]:
    """Files below folders: named by the folder, and by the file too where there are several."""
    for folder, listing in watch.walk(root):
        mains = main_files(listing)
        above = folder[len(root) + 1 :].replace(os.sep, "/")
        for name in mains:
            stem = _stem(name)
            several = len(mains) > 1 or not above
            id_ = "/".join(filter(None, (above, stem))) if several else above
            yield Found(kind, f"{folder}{os.sep}{name}", id_, (id_, stem))


def _flat(root: str, watch: Watch) -> Iterator[Found]:
    for name in main_files(watch.listing(root)):
        if not name.startswith("incomplete-"):
            yield Found("gpt4all", f"{root}{os.sep}{name}", _stem(name))


def _llama_cpp(root: str, watch: Watch) -> Iterator[Found]:
    listing = watch.listing(root)
    repositories = {}  # prefix of file names -> repository
    for name in listing.files:
        if match := re.fullmatch(r"manifest=([^=]+)=([^=]+)=[^=]*\.json", name):
            repositories[f"{match[1]}_{match[2]}_".lower()] = f"{match[1]}/{match[2]}"
    for name in main_files(listing):
        prefix = next((p for p in repositories if name.lower().startswith(p)), "")
        stem = _stem(name)
        id_ = stem
        if prefix:
            rest = stem[len(prefix) :]
            id_ = f"{repositories[prefix]}:{quantisation_of(rest) or rest}"
        yield Found("llama.cpp", f"{root}{os.sep}{name}", id_, (id_, stem))


def _hub(root: str, watch: Watch) -> Iterator[Found]:
    """Of each repository the revision that `main` means, else all; of each file one."""
    for folder in watch.listing(root).folders:
        if not folder.startswith("models--"):
            continue
        repository = "/".join(folder.split("--")[1:])
        base = f"{root}{os.sep}{folder}"
        snapshots = f"{base}{os.sep}snapshots"
        revisions = [*watch.listing(snapshots).folders]
        main = _main_revision(base, watch)
        revisions.sort(key=lambda revision: (revision != main, revision))
        met = set()
        for revision in revisions:
            top = f"{snapshots}{os.sep}{revision}"
            mains = [
                (below, name) for below, listing in watch.walk(top) for name in main_files(listing)
            ]
            named = [quantisation_of(_stem(name)) for _, name in mains]
            for (below, name), quantisation in zip(mains, named, strict=True):
                tag = quantisation if named.count(quantisation) == 1 else _stem(name)
                id_ = f"{repository}:{tag}" if tag else repository
                if id_ not in met:
                    met.add(id_)
                    yield Found("huggingface", f"{below}{os.sep}{name}", id_, (id_, _stem(name)))


def _main_revision(base: str, watch: Watch) -> str:
    path = f"{base}{os.sep}refs{os.sep}main"
    if "main" not in watch.listing(os.path.dirname(path)).files:
        return ""
    watch.needed.add(path)
    watch.see(path)
    return _text(Path(path)).strip()


def _manifests(root: str, watch: Watch) -> Iterator[Found]:
    top = f"{root}{os.sep}manifests"
    for folder, listing in watch.walk(top):
        parts = folder[len(top) + 1 :].split(os.sep)
        if len(parts) != 3:
            continue
        host, namespace, model = parts
        shown = [host, namespace, model]
        if host == "registry.ollama.ai":
            shown = [model] if namespace == "library" else [namespace, model]
        for tag in listing.files:
            name = "/".join(shown)
            names = (f"{name}:{tag}", name) if tag == "latest" else (f"{name}:{tag}",)
            yield Found("ollama", f"{folder}{os.sep}{tag}", f"{name}:{tag}", names)


def main_files(listing: Listing) -> list[str]:
    """The `.gguf` files that are models: no projector, no later part of a split one."""
    return [
        name
        for name in listing.files
        if name[-5:].lower() == ".gguf" and not is_projector(name) and gguf.is_first_part(name)
    ]


def _stem(name: str) -> str:
    """The name of a file without its suffix and its part number."""
    match = gguf.SPLIT.fullmatch(name)
    return match[1] if match else name[: -len(".gguf")]


_QUANTISATION = re.compile(
    r"(?:^|[-._])((?:UD-)?I?Q\d(?:_[0-9A-Z]+)*|TQ\d_\d|BF16|F16|F32|MXFP4(?:_MOE)?)(?=$|[-._])",
    re.IGNORECASE,
)


def quantisation_of(stem: str) -> str:
    """The quantisation that a file's name tells, like `Q4_K_M`; empty if it does not."""
    matches = _QUANTISATION.findall(stem)
    return matches[-1].upper() if matches else ""


# What one says ------------------------------------------------------------------------------------


def describe(found: Found, root: Path, look: Look) -> Description:
    """A model of another program, as a description. Raises `ModelBroken`."""
    if found.source == "ollama":
        return _from_manifest(found, root, look)
    name = os.path.basename(found.path)
    described = Description(
        found.id, _stem(name), guess=False, sources=[{"filename": name}, *_beside(found, look)]
    )
    if not look.is_file(found.path):
        described.sources = [{"path": found.path}]  # a link that leads nowhere is told
    return described


def _beside(found: Found, look: Look) -> Iterator[Mapping[str, str]]:
    """The projector of a model: in a folder of many models, one whose name begins alike."""
    folder, name = os.path.split(found.path)
    listing = look.listing(folder)
    projectors = [n for n in listing.files if n[-5:].lower() == ".gguf" and is_projector(n)]
    shared = found.source in ("llama.cpp", "gpt4all") or len(main_files(listing)) > 1
    for projector in projectors:
        beginning = projector.lower().partition("mmproj")[0].rstrip("-_.")
        if not shared or (beginning and name.lower().startswith(beginning)):
            yield {"filename": projector}


_LAYER = "application/vnd.ollama.image."


def _from_manifest(found: Found, root: Path, look: Look) -> Description:
    path = Path(found.path)
    raw = look.read(found.path)
    layers: dict[str, list[Mapping[str, Any]]] = {}
    for layer in raw.get("layers") or () if isinstance(raw, Mapping) else ():
        if isinstance(layer, Mapping):
            layers.setdefault(str(layer.get("mediaType")).removeprefix(_LAYER), []).append(layer)
    described = Description(found.id, found.id, guess=False)
    blobs = [str(_blob(root, layer)) for layer in layers.get("model", ())]
    described.sources = [{"path": blob} for blob in blobs]
    if not blobs:
        described.broken = f"{path}: names no GGUF file; only Ollama itself can run it"
    if layers.get("adapter"):
        described.broken = f"{path}: an adapter over another model; only Ollama itself can run it"
    for layer in layers.get("projector", ()):
        described.settings["mmproj"] = str(_blob(root, layer))
    for layer in layers.get("params", ()):
        parameters = look.read(str(_blob(root, layer)))
        if isinstance(parameters, Mapping):
            renamed = {OLLAMA_NAMES.get(k, str(k)): v for k, v in parameters.items()}
            described.settings |= collect(renamed, SETTINGS, described.warnings)
            described.parameters |= collect(renamed, PARAMETERS, described.warnings)
    for layer in layers.get("system", ()):
        blob = _blob(root, layer)
        described.settings["pre_prompt"] = decoded(read_bytes(blob, MAX_JSON)[0], blob)
    return described


def _blob(root: Path, layer: Mapping[str, Any]) -> Path:
    """Where the content of a layer lies. Raises `ModelBroken` for what is no digest."""
    digest = str(layer.get("digest"))
    if not re.fullmatch(r"sha256[:-][0-9a-f]{64}", digest):
        raise ModelBroken(f"{root}: {digest[:80]!r} is not the digest of a blob")
    return root / "blobs" / digest.replace(":", "-")
