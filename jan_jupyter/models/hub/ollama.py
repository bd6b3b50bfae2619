"""Models of Ollama's registry, and of others that speak like it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ... import errors
from ...parameters import OLLAMA_NAMES
from .plans import Plan, Wanted
from .web import Refused, Web, refusal

OLLAMA = "https://registry.ollama.ai"
_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_OLLAMA_PARAMETERS = frozenset(
    ["temperature", "top_k", "top_p", "min_p", "repeat_penalty", "stop", "seed", "max_tokens"]
)


async def plan(
    registry: str | None, space: str | None, name: str, tag: str | None, web: Web
) -> Plan:
    """A model of a registry: of its layers the GGUF, a projector and the parameters count."""
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
