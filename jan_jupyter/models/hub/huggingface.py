"""Hugging Face: its addresses, the user's key for it, and what a repository holds."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from ... import errors
from ..machine import Machine
from .plans import Plan, Wanted, main_last, safe_name
from .variants import choose, named_file, named_variant, projector_of, variants_of
from .web import Refused, Web, origin, refusal

HUGGING_FACE = "https://huggingface.co"


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


async def plan(
    repository: str, quantisation: str | None, file: str | None, web: Web, machine: Machine
) -> Plan:
    """A model of a repository: the file or the quantisation that is named, else what suits."""
    raw, files = await listing(repository, web)
    variants = variants_of(files)
    if not variants:
        raise errors.ModelNotFound(
            f"{repository} has no GGUF file. Look for one that is converted: `%jan search"
            f" {repository.partition('/')[2].removesuffix('-GGUF')}`."
        )
    if file is not None:
        chosen, why = named_file(variants, file, repository), ""
    elif quantisation is not None:
        chosen, why = named_variant(variants, quantisation, repository), ""
    else:
        chosen, why = choose(variants, machine)
    projector = projector_of(files)
    if projector and why:
        why += " With the projector for images."
    card = raw.get("cardData")
    licence = card.get("license") if isinstance(card, dict) else None
    return Plan(
        _name(repository, chosen.quantisation),
        [*([projector] if projector else []), *main_last(chosen.files)],
        why,
        metadata={
            "author": repository.partition("/")[0],
            **({"license": licence} if isinstance(licence, str) else {}),
        },
    )


async def listing(repository: str, web: Web) -> tuple[Mapping[str, Any], list[Wanted]]:
    """What a repository says of itself, and its GGUF files. Raises `JanError`."""
    page = f"{HUGGING_FACE}/{repository}"
    url = f"{endpoint()}/api/models/{repository}?blobs=true"
    try:
        raw: Mapping[str, Any] = await web.json(url)
    except Refused as refused:
        raise refusal(refused, f"repository {repository}", page) from None
    try:
        commit = str(raw.get("sha") or "main")
        return raw, [*_files(raw["siblings"], repository, commit, page)]
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise errors.DownloadFailed(
            f"{endpoint()} describes {repository} in a way that is not understood."
        ) from error


def _name(repository: str, quantisation: str) -> str:
    """What a model is called: like its repository, with the quantisation at the end."""
    base = re.sub(r"[-_.]GGUF$", "", repository.partition("/")[2], flags=re.IGNORECASE)
    known = not quantisation or base.casefold().endswith(quantisation.casefold())
    return base if known else f"{base}-{quantisation}"


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
