"""Addresses of Azure OpenAI: one truth for the list of models and for the engine. Pure."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

KIND = "azure-openai"


def kind_at(kind: str, address: str) -> str:
    """The engine that serves an address: Azure's are known, whatever the description says."""
    return KIND if kind == "openai" and ".openai.azure.com" in address else kind


def chat_address(base: str, deployment: str, version: str = "") -> str:
    """The address of the chat request; without a version that of the v1 API.

    `base` is the resource (`https://NAME.openai.azure.com`), perhaps with the path that other tools
    want after it: `/openai`, `/openai/v1`, `/openai/deployments/NAME`.
    """
    parts = urlsplit(base)
    path = parts.path.rstrip("/")
    named = re.search(r"/openai/deployments/([^/]+)$", path)
    root = base.partition("?")[0].rstrip("/")
    root = re.sub(r"/openai(/v1|/deployments(/[^/]*)?)?$", "", root)
    version = version or "".join(parse_qs(parts.query).get("api-version", [])[:1])
    if named or version:
        where = f"{root}/openai/deployments/{named[1] if named else deployment}/chat/completions"
        return f"{where}?api-version={version}" if version else where
    return f"{root}/openai/v1/chat/completions"


def missing(url: str) -> str:
    """What the address of a chat request lacks, as one line; empty if nothing."""
    parts = urlsplit(url)
    if "/openai/v1/" in parts.path:
        return ""
    if re.search(r"/deployments(//|/chat/|/?$)", parts.path):
        return "its address names no deployment: it goes after `/deployments/`"
    if not parse_qs(parts.query).get("api-version"):
        return (
            "the address of an Azure deployment needs a version: set `api_version` in the settings,"
            " or put `?api-version=…` at its end"
        )
    return ""
