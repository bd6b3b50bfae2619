"""Wheels made on the spot, and how pip and uv are told of an index that has them."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping

import pytest


def wheel(package: str, version: str, files: Mapping[str, bytes]) -> tuple[str, bytes]:
    """Name and content of a wheel that holds `files`, whatever their names."""
    name = package.replace("-", "_")
    info = f"{name}-{version}.dist-info"
    about = f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\nLicense: MIT\n"
    tag = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    whole = {**files, f"{info}/METADATA": about.encode(), f"{info}/WHEEL": tag.encode()}
    record = "".join(f"{file},,\n" for file in [*whole, f"{info}/RECORD"])
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, body in {**whole, f"{info}/RECORD": record.encode()}.items():
            archive.writestr(file, body)
    return f"{name}-{version}-py3-none-any.whl", content.getvalue()


def index_variables(url: str) -> dict[str, str]:
    """What tells pip and uv of an index, and of no other."""
    return {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": url,
        "PIP_RETRIES": "0",
        "UV_NO_CONFIG": "1",
        "UV_DEFAULT_INDEX": url,
        "UV_HTTP_RETRIES": "0",
    }


def use_index(patch: pytest.MonkeyPatch, url: str) -> None:
    """Let pip and uv know that index and no other, whatever their user has set."""
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        patch.delenv(name)
    for name, value in index_variables(url).items():
        patch.setenv(name, value)
