"""A comparison as one HTML file that opens anywhere: no script, nothing from elsewhere."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape

from . import html, style
from .board import Board
from .written import line


def report(board: Board, made: str = "") -> str:
    """The file; `made` is a line on when and by what."""
    return page(board.title, board.asked, html.body(board, board.asked), made)


def page(title: str, about: str, body: str, made: str = "") -> str:
    """A whole page around what is shown; `about` stands in its title.

    Its policy lets nothing be loaded or run: only this very style counts.
    """
    css = style.STYLE + style.PAGE
    digest = b64encode(sha256(css.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    title = escape(line(title))
    said = f'<p class="made">{escape(line(made))}</p>' if made else ""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{title}: {escape(about)}</title>\n"
        f"<style>{css}</style>\n</head>\n"
        f"<body>\n<main>\n<h1>{title}</h1>\n{said}"
        f"{body}\n</main>\n</body>\n</html>\n"
    )
