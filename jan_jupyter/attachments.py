"""What is sent beside the text: figures, pictures, arrays, files -> OpenAI's content parts.

Nothing is imported for it that is not there already: a figure brings matplotlib, an array is
written as PNG by Pillow.
"""

from __future__ import annotations

import base64
import mimetypes
import os
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from . import units
from .errors import UsageError
from .types import Message

LARGEST = 20 * 10**6
"""Bytes of one attachment; what the services take at most."""

Part = Mapping[str, Any]

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"%PDF-", "application/pdf"),
)


def message_with(text: str, attachments: Sequence[Any]) -> Message:
    """A user's message with its attachments, in OpenAI's parts; plain text if there are none."""
    if not attachments:
        return Message("user", text)
    parts = [part_of(value) for value in attachments]
    return Message("user", [*parts, {"type": "text", "text": text}])


def part_of(value: Any) -> Part:
    """The content part for a value.

    Takes a matplotlib figure or axes, a Pillow image, a NumPy array (grey, RGB or RGBA), an IPython
    `Image`, anything that shows itself as PNG or JPEG, bytes, an `https:` address of an image, and
    the path of an image, a PDF or a text file. Raises `UsageError` for all else.
    """
    if isinstance(value, Mapping) and "type" in value:
        return value
    if isinstance(value, str) and value.startswith(("https://", "http://", "data:")):
        return {"type": "image_url", "image_url": {"url": value}}
    if isinstance(value, str | os.PathLike):
        return _file(Path(value).expanduser())
    data = _picture(value)
    if data is None:
        raise UsageError(
            f"A {type(value).__name__} cannot be attached: give a figure, an image, an array, bytes"
            " or the path of a file."
        )
    return _binary(data, type(value).__name__)


def _picture(value: Any) -> bytes | None:
    """The bytes of whatever shows itself as a picture."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if hasattr(value, "savefig") or hasattr(getattr(value, "figure", None), "savefig"):
        figure, buffer = getattr(value, "figure", None) or value, BytesIO()
        figure.savefig(buffer, format="png", bbox_inches="tight")
        return buffer.getvalue()
    if hasattr(value, "__array_interface__") and not hasattr(value, "_repr_png_"):
        return _array(value)
    if callable(getattr(value, "_repr_mimebundle_", None)) or hasattr(value, "_repr_png_"):
        return _shown(value)
    return None


def _shown(value: Any) -> bytes | None:
    """What a notebook would show of it as a picture."""
    if callable(bundle := getattr(value, "_repr_mimebundle_", None)):
        found = bundle(include=["image/png", "image/jpeg"])
        data = found[0] if isinstance(found, tuple) else found
        for kind in ("image/png", "image/jpeg"):
            if data and data.get(kind):
                return _decoded(data[kind])
    for name in ("_repr_png_", "_repr_jpeg_"):
        if callable(show := getattr(value, name, None)) and (shown := show()):
            return _decoded(shown[0] if isinstance(shown, tuple) else shown)
    return None


def _decoded(data: bytes | str) -> bytes:
    return base64.b64decode(data) if isinstance(data, str) else data


def _array(value: Any) -> bytes:
    try:
        import numpy
        from PIL import Image
    except ImportError:
        raise UsageError("To attach an array, Pillow is needed: `pip install pillow`.") from None
    array = numpy.asarray(value)
    if array.dtype.kind == "f":  # matplotlib's convention: 0 … 1
        array = (numpy.clip(numpy.nan_to_num(array), 0, 1) * 255).round()
    buffer = BytesIO()
    try:
        Image.fromarray(array.astype("uint8")).save(buffer, format="PNG")
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"An array of shape {array.shape} is no picture: it needs (rows, columns), and 3 or 4"
            " channels for colour."
        ) from error
    return buffer.getvalue()


def _file(path: Path) -> Part:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be attached: {error.strerror}.") from error
    kind, _ = mimetypes.guess_type(path.name)
    if _type(data) or (kind or "").startswith("image/"):
        return _binary(data, path.name, kind or "")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(
            f"{path} cannot be attached: it is neither an image, nor a PDF, nor text."
        ) from None
    _check(len(data), path.name)
    return {"type": "text", "text": f"{path.name}:\n\n{text}\n"}


def is_picture(data: bytes) -> bool:
    """Whether the bytes are a picture, or a PDF, that can be attached."""
    return bool(_type(data))


def _type(data: bytes) -> str:
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in _MAGIC if data.startswith(start)), "")


def _binary(data: bytes, name: str, kind: str = "") -> Part:
    _check(len(data), name)
    kind = _type(data) or kind
    if not kind:
        raise UsageError(f"{name} cannot be attached: its bytes are no picture that is known.")
    url = f"data:{kind};base64,{base64.b64encode(data).decode()}"
    if kind == "application/pdf":
        return {"type": "file", "file": {"filename": name, "file_data": url}}
    return {"type": "image_url", "image_url": {"url": url}}


def _check(size: int, name: str) -> None:
    if size > LARGEST:
        raise UsageError(f"{name} is too large to attach: the most is {units.size(LARGEST)}.")
