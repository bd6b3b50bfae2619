"""What a command is given besides its options: a question, standard input, files."""

from __future__ import annotations

import codecs
import csv
import json
import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .. import errors
from ..attachments import is_picture


def piped() -> bytes:
    """What another program, or a file, gives on standard input; nothing if that is a terminal."""
    stream = sys.stdin
    if stream is None or stream.closed or stream.isatty():
        return b""
    try:
        kind = os.fstat(stream.fileno()).st_mode
        # Anything else (such as a device that is nobody's) may never end.
        if not (stat.S_ISFIFO(kind) or stat.S_ISREG(kind) or stat.S_ISSOCK(kind)):
            return b""
        return stream.buffer.read()
    except (OSError, ValueError):
        return b""


def question(words: Sequence[str]) -> tuple[str, list[Any]]:
    """The question of these words and of what a pipe brings, and what goes along with it.

    Text from a pipe stands above the words, a picture is attached; a lone `-` is standard input,
    also a keyboard. Raises `UsageError` for what is neither.
    """
    text = " ".join(words)
    data = piped()
    if text == "-":
        text = ""
        if sys.stdin is not None and sys.stdin.isatty():
            data = sys.stdin.buffer.read()
    if is_picture(data):
        return text, [data]
    return joined(decoded(data), text), []


def decoded(data: bytes) -> str:
    """Raises `UsageError` for what is no text."""
    for bom, name in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if data.startswith(bom):  # as PowerShell writes
            return data.decode(name, "replace")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise errors.UsageError(
            "Standard input is neither text nor a picture: name a file with --attach FILE."
        )
    return text


def joined(above: str, question: str) -> str:
    """A text, and below it what is asked about it."""
    if not above.strip():
        return question
    if not question.strip():
        return above.rstrip("\n")
    return f"{above.rstrip()}\n\n{question}"


def texts(option: str, name: str) -> Any:
    """Several texts from a file: each line of a .txt is one, or a JSON list, or lines of JSON."""
    found = values(option, name)
    if isinstance(found, str):
        return [line.strip() for line in found.splitlines() if line.strip()]
    return found


def values(option: str, name: str) -> Any:
    """What a file holds: .json, .jsonl and .csv (a mapping for each line) as values, else text.

    `-` is standard input: lines of text. Raises `UsageError`, which names the option.
    """
    if name == "-":
        return decoded(piped())
    path = Path(name).expanduser()
    try:
        text = path.read_text("utf-8-sig")
        match path.suffix.lower():
            case ".json":
                return json.loads(text)
            case ".jsonl" | ".ndjson":
                return [json.loads(line) for line in text.splitlines() if line.strip()]
            case ".csv" | ".tsv":
                between = "\t" if path.suffix.lower() == ".tsv" else ","
                return [*csv.DictReader(text.splitlines(keepends=True), delimiter=between)]
        return text
    except OSError as error:
        raise errors.UsageError(f"{option} {name} cannot be read: {error.strerror}.") from error
    except (ValueError, csv.Error, RecursionError) as error:
        raise errors.UsageError(f"{option} {name} cannot be read: {error}.") from error
