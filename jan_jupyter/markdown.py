r"""What a model says, as Markdown that no renderer can turn into anything but text.

A notebook shows an answer as `text/markdown`. JupyterLab trusts the outputs of cells that the user
ran and sanitises nothing there: `<script>`, `onerror=` and `javascript:` would run. So the Markdown
itself is made harmless, for JupyterLab (`removeMath`, then `marked`) and for every other renderer.

Safety never rests on reading Markdown as a renderer does:

- **Text.** `_DANGER` finds the characters at which something harmful could begin, wherever they
  stand. In text they become entities (which look the same), in a formula a space follows them, and
  a code span with one is written as `<code>` with entities. The finished line is looked at once
  more: if anything is left, the whole line becomes entities.
- **Formulas.** MathJax reads the finished page, where an entity is the character again. `_STYLING`
  finds the names of its commands that can name an address, and something goes between the name and
  its backslash, wherever they stand: MathJax may see a formula where we see none.
- **Fences.** The only runs of three backticks or tildes that we write are fences of our own: blank
  lines around them, at most three columns in, no line inside with less indentation. So nothing
  opened before can swallow one of the two, and no line inside can end them. None is a diagram:
  Mermaid fetches the pictures that its text names.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from copy import copy
from itertools import zip_longest
from typing import NamedTuple


class CodeBlock(NamedTuple):
    """A fenced block: the first word of its info string (or `""`), and the code as written."""

    language: str
    code: str


def safe(text: str, after_others: bool = False) -> str:
    """The text as Markdown that is harmless in every renderer; see `SafeMarkdown`."""
    markdown = SafeMarkdown(after_others)
    markdown.feed(text)
    return markdown.text


def numbered(texts: Sequence[str], remarks: Sequence[str] = ()) -> str:
    """Several pieces of safe Markdown, one under another; a remark may be any text."""
    parts = []
    for number, (text, remark) in enumerate(zip_longest(texts, remarks, fillvalue=""), 1):
        mark = f" · {plain(remark)}" if remark else ""
        parts.append(f"**Answer {number}**{mark}\n\n{text}")
    return "\n\n".join(parts)


def with_footer(text: str, footer: str) -> str:
    """Safe Markdown with one small grey line below; the footer may be any text, or empty."""
    if not footer:
        return text
    line = f'<small style="opacity:0.75">{plain(footer)}</small>'
    return f"{text}\n\n{line}" if text else line


_ICON = b64encode(
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" fill="none" stroke="#808080" '
    b'stroke-width="1.3"><rect x="5.5" y="5.5" width="9" height="9" rx="1.5"/>'
    b'<path d="M10.5 3A1.5 1.5 0 0 0 9 1.5H3A1.5 1.5 0 0 0 1.5 3v6A1.5 1.5 0 0 0 3 10.5"/></svg>'
).decode()
# JupyterLab's printed text begins that far from the left. Of all this, its sanitiser takes away
# `<jan-copy>` alone.
PAGE = '<div style="overflow-wrap:break-word;padding-left:.55em">'
BOX = (
    '<div style="border:1px solid rgba(128,128,128,.4);border-radius:4px;padding:.5em .7em;'
    'margin:.5em 0"><jan-copy role="button" title="Copy" style="float:right;cursor:pointer;'
    "width:1em;height:1em;margin:.15em 0 .15em .7em;background:center/contain no-repeat url("
    "data:image/svg+xml;base64,{icon}"
    """)" onclick="getSelection().selectAllChildren(this.parentNode.querySelector('pre'));"""
    """document.execCommand('copy')"></jan-copy>"""
).replace("{icon}", _ICON)
_BOXED = re.compile(
    r"^(?P<pad> {0,3})(?P<ticks>`{3,}|~{3,}).*\n(?:.*\n)*?(?P=pad)(?P=ticks)$", re.MULTILINE
)


def page(text: str) -> str:
    """Safe Markdown as a cell shows it: code in boxes, with a button that copies it.

    The button works where the page may run what we wrote (outputs of cells that the user ran, and
    exported HTML). Elsewhere `<jan-copy>` is no element that is let through, and the box is alone.
    """
    boxed = _BOXED.sub(lambda m: f"{m['pad']}{BOX}\n\n{m[0]}\n\n{m['pad']}</div>", text)
    return f"{PAGE}\n\n{boxed}\n\n</div>"


def folded(title: str, text: str, after_others: bool = False) -> str:
    """Safe Markdown of any text behind a title that opens it, to stand above other Markdown."""
    inside = safe(text, after_others)
    return f"<details><summary>{plain(title)}</summary>\n\n{inside}\n\n</details>\n\n"


_MARKS = re.compile(
    r"^[ \t]*(?:(?:```+|~~~+)[^\n]*$|#{1,6}[ \t]+|>[ \t]?|[-*+][ \t]+)|\*\*|~~|`+"
    r"|(?<!\w)\*(?=\S)|(?<=\S)\*(?!\w)",
    re.MULTILINE,
)


def words(text: str, longest: int) -> str:
    """The words of Markdown on one line, without its marks; cut with an ellipsis."""
    text = re.sub(r"!?\[([^\]\n]*)\]\([^)\n]*\)", r"\1", text)
    line = " ".join(_MARKS.sub("", text).split())
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"


def code_blocks(text: str) -> list[CodeBlock]:
    """The fenced blocks in order: those in lists and quotes too, and one left open at the end."""
    blocks: list[CodeBlock] = []
    fence: _Fence | None = None
    code: list[str] = []
    for line in re.split(r"\r\n?|\n", text.removesuffix("\n").removesuffix("\r")):
        if fence:
            inside = fence.code(line)
            if inside is not None:
                code.append(inside)
                continue
            blocks.append(CodeBlock(fence.language, "\n".join(code)))
            ended, fence, code = fence, None, []
            if ended.ended_by(line):
                continue
        fence = _Fence.opened_by(line)
    if fence:
        blocks.append(CodeBlock(fence.language, "\n".join(code)))
    return blocks


# -- lines ----------------------------------------------------------------------------------------

_LINE_END = re.compile("\r\n?|[\n\v\f\x85\u2028\u2029]")  # what any renderer takes for one
_CONTROL = re.compile("[\0-\x08\x0e-\x1f\x7f-\x9f\ufeff\ud800-\udfff]")


def _lines(text: str) -> list[str]:
    return _CONTROL.sub("\ufffd", _LINE_END.sub("\n", text)).split("\n")


# -- text -----------------------------------------------------------------------------------------

# A link leads to http, https, mailto or a relative place: no colon, however written, in its first
# step. It holds no `\`, `$` or `"`: JupyterLab puts formulas back into the finished HTML, where one
# within an attribute could end it.
_CHAR = r'[^\s\\$"`<>()\[\]|]'
_SCHEME = r"(?:https?|mailto):"
_STEP = r"(?:(?!%(?:25)*3a)[^\s\\$<:&/?\#])"
_AUTOLINK = rf"<https?://{_CHAR}*+>"
_TARGET = (
    rf"(?:{_AUTOLINK}|(?:{_SCHEME}|(?=(?:(?![()\[\]]){_STEP})*+[\s()/?\#]))"
    rf"(?:{_CHAR}|\({_CHAR}*+\))*+)"
)
_TITLE = r"""(?:"[^"\\$`\[\]]*+"|'[^'\\$`\[\]]*+')"""
# What may follow `[label]:`: a target and nothing, a whole title, or words that make it no target.
_DEFINED = (
    rf"[ \t]*+(?=\S)(?:{_AUTOLINK}|{_SCHEME}[^\s\\$\]]*+|{_STEP}*+(?:[/?\#][^\s\\$\]]*+)?+)"
    rf"(?:[ \t]*+$|[ \t]++(?:{_TITLE}[ \t]*+$|[^\s\"'(]))"
)


def _danger(harmless: str) -> re.Pattern[str]:
    return re.compile(
        rf"""
        <(?=[a-z/!?])(?!{_AUTOLINK[1:]}{harmless})  # a tag, a comment
        | `(?=``) | ~(?=~~)                         # a fence that is not ours
        | !(?=\[)                                   # an image tells its server that you read this
        | \](?=\()(?!\([ ]*+{_TARGET}(?:[ ]++{_TITLE})?+[ ]*+\))
        | \](?=:)(?!:{_DEFINED})
        | (?<=@)\\(?=@) | &(?=\#(?:0*+64|x0*+40);)  # `@\@0@@` would be JupyterLab's formula 0
        | (?<=\\\\)\\(?=[\[\]])                     # nbconvert reads these in two ways
        """,
        re.VERBOSE | re.IGNORECASE,
    )


_DANGER = _danger("")
_LEFT = _danger("|/?code>")
# MathJax writes what these are given into a style, a link or a picture. The filter that JupyterLab
# has it use lets `cursor: url(…)`, quotes within quotes and `java\tscript:` pass; other renderers
# have none. An entity may stand for the backslash or a letter. Names are ASCII, as MathJax has it.
_STYLING = re.compile(
    r"""
    (?:\\|&(?:bsol|\#0*+92|\#[xX]0*+5[cC])(?![0-9A-Fa-f]);?)(?=
        (?:unicode|mmlToken|style|class|cssId|href|bbox|fcolorbox|require|includegraphics
        |html(?:Class|Data|Id|Style))(?![A-Za-z])
        | [A-Za-z]*+&\#
    )
    """,
    re.VERBOSE,
)
_ADDRESS = re.compile(r"(?:://|www\.)[^ \t\n]*+", re.IGNORECASE)  # GFM makes links of these
_IMAGE = re.compile(r"(?<!\\)!\[([^\[\]]*+)\](?=[\[(])")
# What takes in fences if it begins a line: the label of `[label]: target` may run on over lines
# (marked), a definition list or a container that the renderer has a plug-in for.
_SWALLOWS = re.compile(
    r"^((?:[ \t>]|(?:[-+*]|\d{1,9}[.)]|\[[ xX]\])(?=[ \t])|\[\^[^\]]*+\]:)*+)"
    r"(\[(?=(?:\\.|[^\[\]\\])*+\\?$)|[:~](?=[ \t])|:(?=::))"
)
_NEXT_TITLE = re.compile(r"^([ \t>]*+)([\"'(])")
_SPECIAL = re.compile(r"[!-+:-?\[-`{-~]|(?<=www)\.", re.IGNORECASE)
_INLINE = re.compile(
    r"""
    (?<![\\`])(?P<ticks>`+)(?!`)(?P<code>.+?)(?<!`)(?P=ticks)(?!`)
    | \$\$[^$]++\$\$ | (?<![\\$\w/])\$(?![\s$])[^$]*+(?<![\s\\])\$(?!\d)
    | \\\((?:(?!\\\().)+?\\\) | \\\[(?:(?!\\\[).)+?\\\]
    """,
    re.VERBOSE,
)
_DISPLAY = re.compile(r"\$\$|(?<!\\)\\\[|\\begin\{(\w+\*?)\}")


def _entity(match: re.Match[str]) -> str:
    return "&lt;" if match[0] == "<" else f"&#{ord(match[0])};"


def _second_as_entity(match: re.Match[str]) -> str:
    return f"{match[1]}&#{ord(match[2])};"


def _no_formula(text: str) -> str:
    return _STYLING.sub("\\g<0>\u200b", text)


def _inert_code(text: str) -> str:
    """Text that is only text, within a `<code>` (where MathJax reads nothing)."""
    return _SPECIAL.sub(_entity, text)


def plain(text: str) -> str:
    """Any text on one line that is only text, in HTML and in Markdown."""
    return _no_formula(_inert_code(" ".join(_lines(text))))


def _harmful(text: str, danger: re.Pattern[str] = _DANGER) -> bool:
    return bool(danger.search(text)) or any("$" in a or "\\" in a for a in _ADDRESS.findall(text))


def _prose(text: str) -> str:
    text = _IMAGE.sub(lambda m: f"[image: {m[1]}]" if m[1] else "[image]", text)
    text = _ADDRESS.sub(lambda m: m[0].replace("$", "%24").replace("\\", "%5C"), text)
    return _no_formula(_DANGER.sub(_entity, text))


def _formula(text: str) -> str:
    return _DANGER.sub(r"\g<0> ", _STYLING.sub(r"\g<0> ", text))


def _code_span(ticks: str, code: str, in_table: bool) -> str:
    if len(ticks) < 3 and not _harmful(code) and not _STYLING.search(code):
        return f"{ticks}{code}{ticks}"
    if in_table:
        code = code.replace(r"\|", "|")
    if code[0] == code[-1] == " " and code.strip():
        code = code[1:-1]
    return f"<code>{_inert_code(code)}</code>"


# -- fences ---------------------------------------------------------------------------------------

_FENCE = re.compile(
    r"""
    (?P<marks>(?:[ \t]*+(?:>|(?:[-+*]|\d{1,9}[.)])[ \t]++(?:\[[ xX]\][ \t]++)?+))*+)
    (?P<indent>[ \t]*+)(?P<ticks>`{3,}+(?=[^`]*+$)|~{3,}+)(?P<info>.*+)$
    """,
    re.VERBOSE,
)
_QUOTE = re.compile(r"[ \t]*+>[ ]?+")
_WORD = re.compile(r"[\w+#.-]+", re.ASCII)
# Some renderers let a display formula run on over blank lines, so over the start of a fence.
_FORMULA_OPENS = re.compile(r"\$\$|\\\[|\\begin\{")
_FORMULA_ENDS = re.compile(r"\$\$|\\\]|\\end\{")


def _columns(blanks: str) -> int:
    return len(blanks.expandtabs(4))


class _Fence(NamedTuple):
    ticks: str
    language: str
    marks: str
    """The quote and list marks before it."""
    indent: int
    """The columns that belong to the list around it, not to the code."""

    @classmethod
    def opened_by(cls, line: str) -> _Fence | None:
        if not (m := ("```" in line or "~~~" in line) and _FENCE.match(line)):
            return None
        before = re.sub(r"^.*> ?", "", m["marks"] + m["indent"])
        word = _WORD.search(m["info"])
        return cls(m["ticks"], word[0] if word else "", m["marks"], _columns(before))

    @property
    def pad(self) -> str:
        """The indentation that we write: within a list, but never enough for indented code."""
        return "" if self.marks else " " * min(self.indent, 3)

    def code(self, line: str) -> str | None:
        """The line as code; `None` if the block ends before or with it."""
        for _ in range(self.marks.count(">")):
            if not (quote := _QUOTE.match(line)):
                return None
            line = line[quote.end() :]
        at = column = 0
        while column < self.indent and line[at : at + 1] in (" ", "\t"):
            column += 1 if line[at] == " " else 4 - column % 4
            at += 1
        line = " " * (column - self.indent) + line[at:]
        # All that any renderer could take for the end (marked: more backticks and tildes follow).
        blanks = line[: len(line) - len(line.lstrip())]
        near = _columns(self.pad + blanks) - len(self.pad) < 4
        return None if near and self._ends(line) else line

    def ended_by(self, line: str) -> bool:
        """Whether the line that `code` refused belongs to the block (else its quote has ended)."""
        return self._ends(line.lstrip("> \t"))

    def _ends(self, line: str) -> bool:
        run = line.strip()
        return run.startswith(self.ticks) and not run.strip("`~")

    def written(self, code: list[str], after_formula: bool) -> list[str]:
        text = "\n".join(code)
        ends_there = _FORMULA_ENDS.search(text) and _harmful(text)
        if after_formula and (ends_there or _STYLING.search(text)):
            # Where that formula is still open, it could end in this code, or have it in it.
            return [f"{self.pad}<pre><code>{'&#10;'.join(map(_inert_code, code))}</code></pre>"]
        diagram = "mermaid" in self.language.lower()  # nbconvert: all that begin with it
        ticks = self.ticks
        if self.pad and ticks[0] == "~":  # there marked would take the indentation for code
            ticks = "`" * max([3, *(len(run) + 1 for run in re.findall("`{3,}", text))])
        return [
            self.pad + ticks + ("" if diagram else self.language),
            *(line and self.pad + line for line in code),
            self.pad + ticks,
        ]


class SafeMarkdown:
    """Makes Markdown safe while it comes in; a line that has ended is never looked at again.

    `after_others`: it will stand below other such Markdown, in which a formula may be open.
    """

    def __init__(self, after_others: bool = False) -> None:
        self._done: list[str] = []
        self._last: list[str] = []  # the pieces of the line that has not ended
        self._fence: _Fence | None = None
        self._code: list[str] = []
        self._gap = False  # a fence has just ended: a blank line is due
        self._until = ""  # what ends the display formula that we are in
        self._formulas = after_others  # whether there was one
        self._defined = False  # a `[label]: target` has just been; a title could follow

    def feed(self, piece: str) -> None:
        """Take the next piece of the answer, wherever it was cut."""
        self._last.append(piece)
        if not _LINE_END.search(piece):
            return
        text = "".join(self._last)
        half = "\r" if text.endswith("\r") else ""  # "\n" may follow
        *lines, last = _lines(text.removesuffix(half))
        for line in lines:
            self._add(line)
        self._last = [last + half]

    @property
    def text(self) -> str:
        """The safe Markdown of all that has come so far, with every fence closed."""
        end = copy(self)
        end._done, end._code = self._done[:], self._code[:]
        *lines, last = _lines("".join(self._last))
        for line in lines:
            end._add(line)
        if last or not end._fence:
            end._add(last)
        if end._fence:
            end._close()
        return "\n".join(end._done)

    def _add(self, line: str) -> None:
        if self._fence:
            code = self._fence.code(line)
            if code is not None:
                self._code.append(code)
                return
            if self._close().ended_by(line):
                return
        if fence := _Fence.opened_by(line):
            if fence.marks.strip("> \t"):
                self._write(fence.marks.rstrip() + " &nbsp;")  # alone it could underline a heading
            if self._done and self._done[-1]:  # blanks alone would not do for marked 4
                self._done.append("")
            self._fence, self._gap, self._until, self._defined = fence, False, "", False
        else:
            self._write(self._safe(line))

    def _write(self, line: str) -> None:
        if self._gap and line:
            self._done.append("")
        self._gap = False
        self._done.append(line)

    def _close(self) -> _Fence:
        assert self._fence
        fence, self._fence = self._fence, None
        self._done += fence.written(self._code, self._formulas)
        self._code, self._gap = [], True
        return fence

    def _safe(self, line: str) -> str:
        if not line.strip(" \t"):
            self._until, self._defined = "", False
            return line
        out: list[str] = []
        at = 0
        if self._until:
            end = line.find(self._until)
            at = len(line) if end < 0 else end + len(self._until)
            self._until = self._until if end < 0 else ""
            out.append(_formula(line[:at]))
        in_table = line.lstrip().startswith("|")
        for m in _INLINE.finditer(line, at):
            out.append(_prose(line[at : m.start()]))
            code = m["ticks"] and _code_span(m["ticks"], m["code"], in_table)
            out.append(code or _formula(m[0]))
            at = m.end()
        if display := _DISPLAY.search(line, at):
            out += _prose(line[at : display.start()]), _formula(line[display.start() :])
            until = f"\\end{{{display[1]}}}" if display[1] else display[0].replace("[", "]")
            self._until = "" if until in line[display.end() :] else until
        else:
            out.append(_prose(line[at:]))
        text = _SWALLOWS.sub(_second_as_entity, "".join(out))
        if self._defined:
            text = _NEXT_TITLE.sub(_second_as_entity, text)
        if _harmful(text, _LEFT):
            text = plain(line)
        self._defined = "]:" in text
        self._formulas = self._formulas or bool(_FORMULA_OPENS.search(text))
        return text
