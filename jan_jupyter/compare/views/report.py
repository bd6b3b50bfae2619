"""A comparison as one HTML file that opens anywhere, with nothing from elsewhere.

All of it can be read without a script, and printed. Where scripts run, the live view takes that
place: it draws from the document beside it.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from html import escape
from typing import Any

from . import html, style
from .board import Board
from .written import line


def report(
    board: Board, made: str = "", document: Mapping[str, Any] | None = None, script: str = ""
) -> str:
    """The file; `made` is a line on when and by what, `script` draws `document`."""
    shown = html.body(board, board.asked)
    return page(board.title, board.asked, shown, made, document, script)


def page(
    title: str,
    about: str,
    body: str,
    made: str = "",
    document: Mapping[str, Any] | None = None,
    script: str = "",
) -> str:
    """A whole page around what is shown; `about` stands in its title, `script` draws `document`.

    Its policy lets nothing else be loaded or run: only this very style and script count.
    """
    css = style.STYLE + style.PAGE + (style.LIVE if document else "")
    title = escape(line(title))
    said = f'<p class="made">{escape(line(made))}</p>' if made else ""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(css, script)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{title}: {escape(about)}</title>\n"
        f"<style>{css}</style>\n</head>\n"
        f"<body>\n<main>\n<h1>{title}</h1>\n{said}"
        f"{body}\n</main>\n"
        f"{_live(document, script) if document else ''}</body>\n</html>\n"
    )


def _policy(css: str, script: str) -> str:
    parts = ["default-src 'none'", f"style-src '{_digest(css)}'"]
    if script:
        # Formulas are set by attributes, which can load nothing where nothing may be loaded.
        parts += ["style-src-attr 'unsafe-inline'", f"script-src '{_digest(script)}'"]
    return "; ".join([*parts, "base-uri 'none'", "form-action 'none'"])


def _digest(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _live(document: Mapping[str, Any], script: str) -> str:
    return (
        f'<script type="application/json" id="comparison">{_inert(document)}</script>\n'
        f"<script>{script}</script>\n"
    )


def _inert(document: Mapping[str, Any]) -> str:
    """JSON that ends no element and begins no comment, whatever it holds."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return re.sub("[<\ud800-\udfff]", lambda found: f"\\u{ord(found[0]):04x}", text)
