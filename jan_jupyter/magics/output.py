"""How an answer is shown as it comes: one output that is updated, or plain text in a terminal."""

from __future__ import annotations

import html
import json
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import zip_longest
from time import monotonic
from typing import Any, NamedTuple, Protocol

from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.getipython import get_ipython
from IPython.display import display, update_display

from .. import growing, markdown
from .. import output_forms as forms
from ..console import html_of, in_format, printable
from ..types import EMPTY, Event, Reply

BASE_INTERVAL = 0.05
CHARACTERS_PER_SECOND = 40_000
"""An update costs the browser time in proportion to the text, so the interval grows with it:
0.05 s + characters / 40,000 s keeps an answer of N tokens at O(N) bytes and work."""

PATIENCE = 0.25
"""Seconds before a wait is spoken of: most answers begin sooner."""
LONG_WAIT = 1.0
"""Seconds before it is spoken of although nobody says what is awaited."""

Bundle = dict[str, Any]


class End(NamedTuple):
    """How an answer came to its end: what there is of it, what to tell, what cut it."""

    reply: Reply
    notes: Sequence[str] = ()
    error: BaseException | None = None
    """It is raised in the cell, which shows its line below the output."""
    place: Mapping[str, str] = EMPTY
    """The thread, and the message, that keeps it."""


class Output(Protocol):
    """Where an answer goes. All calls come from the cell, never from the background loop."""

    def text(self, piece: str, choice: int = 0) -> None: ...
    def reasoning(self, piece: str) -> None: ...
    def event(self, event: Event) -> None: ...
    def tick(self) -> float | None:
        """Show what is due; seconds until more is, `None` if nothing waits."""

    def finish(self, end: End) -> None: ...
    def clear(self) -> None:
        """There will be no answer: take away what was told of waiting for it."""


def captured() -> bool:
    """Whether outputs are kept for later (`%%capture`): an update would be one more of them."""
    shell = get_ipython()
    return isinstance(getattr(shell, "display_pub", None), CapturingDisplayPublisher)


class NotebookOutput:
    """One `display_id`, updated at an interval that grows with the length.

    Several answers to one request grow in it one under another. JupyterLab draws it from its form
    (`output_forms.py`); what is to be JSON, HTML or plain text has none.
    """

    def __init__(self, format_: str, footer: bool, model: str = "", engine: str = "") -> None:
        self._format = format_
        self._footer = footer
        self._who = (model, engine)
        self._has_form = format_ in ("markdown", "code")
        self._answers: dict[int, _Growing] = {}
        self._pending = False
        self._handle: str | None = None
        self._last = -1e9
        self._characters = 0
        self._began = monotonic()
        self._thought = 0
        self._status = ""
        self._shown_status = ""
        self._captured = captured()

    def text(self, piece: str, choice: int = 0) -> None:
        if choice not in self._answers:
            self._answers[choice] = _Growing(self._format == "markdown", choice > 0)
        self._answers[choice].add(piece)
        self._characters += len(piece)
        self._pending = True

    def reasoning(self, piece: str) -> None:
        self._thought += piece.count(" ") + piece.count("\n")
        self._status = f"Thinking … {self._thought:,} words"

    def event(self, event: Event) -> None:
        self._status = event.awaited

    def tick(self) -> float | None:
        if self._captured:
            return None
        now = monotonic()
        if not self._pending:
            self._tell_status(now)
            return None
        due = self._last + BASE_INTERVAL + self._characters / CHARACTERS_PER_SECOND
        if self._handle is not None and not self._shown_status and now < due:
            return due - now
        self._show(self._running_bundle())
        self._pending, self._last, self._shown_status = False, now, ""
        return None

    def finish(self, end: End) -> None:
        reply = end.reply
        told = _told(end, self._format, self._footer)
        data = final_bundle(reply, self._format, " · ".join(told))
        if self._has_form:
            parts = _parts(reply, self._format)
            data[forms.REPLY] = forms.ended(reply, told, parts, _card(end), end.place)
        self._show(data, {"jan": reply.provenance()})

    def clear(self) -> None:
        if self._shown_status:
            self._show({"text/plain": ""})

    def _tell_status(self, now: float) -> None:
        waited = now - self._began
        status = self._status or ("Waiting for the first word …" if waited > LONG_WAIT else "")
        if self._characters or waited < PATIENCE or status in ("", self._shown_status):
            return
        if now - self._last > 0.2:
            shown = {"text/markdown": markdown.with_footer("", status), "text/plain": status}
            self._show(shown | self._form(status))
            self._shown_status, self._last = status, now

    def _running_bundle(self) -> Bundle:
        answers = [self._answers[choice] for choice in sorted(self._answers)]
        plain, spans = _one_under_another([answer.plain for answer in answers])
        bundle = {"text/plain": plain, **self._form(spans=spans)}
        if self._format == "markdown":
            shown = [answer.markdown for answer in answers]
            bundle["text/markdown"] = shown[0] if len(shown) == 1 else markdown.numbered(shown)
        return bundle

    def _form(self, wait: str = "", spans: Sequence[Sequence[int]] = ()) -> Bundle:
        """The form while it is written: it is there from the first update to the last, for what
        JupyterLab draws an output with is made anew when what is drawn is of another kind."""
        if not self._has_form:
            return {}
        return {forms.REPLY: forms.writing(*self._who, wait, spans)}

    def _show(self, data: Bundle, metadata: Mapping[str, Any] | None = None) -> None:
        extra = dict(metadata or {})
        if shown := data.get("text/markdown"):
            data = data | {"text/markdown": markdown.page(shown)}
        if self._handle is None:
            handle = display(  # type: ignore[no-untyped-call]
                data, raw=True, display_id=True, metadata=extra
            )
            self._handle = handle.display_id
        else:
            update_display(  # type: ignore[no-untyped-call]
                data, raw=True, display_id=self._handle, metadata=extra
            )


class _Growing:
    """The text of one answer while it comes."""

    def __init__(self, as_markdown: bool, after_others: bool) -> None:
        self._safe = markdown.SafeMarkdown(after_others) if as_markdown else None
        self._plain = growing.Text()

    def add(self, piece: str) -> None:
        self._plain.add(piece)
        if self._safe is not None:
            self._safe.feed(piece)

    @property
    def plain(self) -> str:
        return str(self._plain)

    @property
    def markdown(self) -> str:
        return self._safe.text if self._safe is not None else ""


class TerminalOutput:
    """A terminal cannot change what it has shown: the pieces are printed as they come.

    Of several answers to one request the others follow when all are there.
    """

    def __init__(self, format_: str, footer: bool, model: str = "", engine: str = "") -> None:
        self._format = format_
        self._footer = footer
        self._at_line_start = True
        self._thinks = False

    def text(self, piece: str, choice: int = 0) -> None:
        if self._format != "code" and not choice:
            self._print(piece)

    def reasoning(self, piece: str) -> None:
        if not self._thinks:
            self._thinks = True
            self._print("Thinking …\n")

    def event(self, event: Event) -> None:
        pass

    def tick(self) -> float | None:
        return None

    def clear(self) -> None:
        pass

    def finish(self, end: End) -> None:
        reply = end.reply
        if self._format == "code":
            self._print(in_format(reply, "code"))
        if not self._at_line_start:
            self._print("\n")
        for number, other in enumerate(reply.others, 2):
            shown = in_format(other, "code") if self._format == "code" else other.text
            self._print(f"\n{_title(number, other.ended_early)}\n\n{shown}")
            if not self._at_line_start:
                self._print("\n")
        if told := _told(end, self._format, self._footer):
            dim, plain = ("\x1b[2m", "\x1b[0m") if sys.stdout.isatty() else ("", "")
            sys.stdout.write(f"{dim}{printable(' · '.join(told))}{plain}\n")
            sys.stdout.flush()

    def _print(self, text: str) -> None:
        text = printable(text)
        sys.stdout.write(text)
        sys.stdout.flush()
        if text:
            self._at_line_start = text.endswith("\n")


def final_bundle(reply: Reply, format_: str, footer: str, after_others: bool = False) -> Bundle:
    """What is saved: the answer in the format that was asked for, and its plain text.

    Several answers to one request stand one under another; as JSON they are a list. `after_others`:
    it is one of them.
    """
    if reply.others:
        return _bundle_of_several(reply.choices, format_, footer)
    text = reply.text
    if format_ == "json":
        try:
            return {"application/json": reply.json(), "text/plain": text}
        except ValueError:
            shown = markdown.with_footer(fenced(text), footer)
            return {"text/markdown": shown, "text/plain": text}
    if format_ == "html":
        return {"text/html": framed(html_of(reply)), "text/plain": text}
    if format_ == "text":
        return {"text/plain": text}
    if format_ == "code":
        code, language = _code(reply)
        shown = fenced(code, language, after_others)
        return {"text/markdown": markdown.with_footer(shown, footer), "text/plain": code}
    thought = ""
    if reply.reasoning.strip():
        words = len(reply.reasoning.split())
        thought = markdown.folded(f"Reasoning, {words:,} words", reply.reasoning, after_others)
    shown = thought + markdown.safe(text, after_others or bool(thought))
    return {"text/markdown": markdown.with_footer(shown, footer), "text/plain": text}


def _bundle_of_several(replies: Sequence[Reply], format_: str, footer: str) -> Bundle:
    bundles = [final_bundle(replace(reply, others=()), format_, "", True) for reply in replies]
    ends = [reply.ended_early for reply in replies]
    plain, _ = _one_under_another([b["text/plain"] for b in bundles], ends)
    bundle: Bundle = {"text/plain": plain}
    if all("text/markdown" in each for each in bundles):
        shown = markdown.numbered([each["text/markdown"] for each in bundles], ends)
        bundle["text/markdown"] = markdown.with_footer(shown, footer)
    for kind, join in (("application/json", list), ("text/html", "".join)):
        if all(kind in each for each in bundles):
            bundle[kind] = join(each[kind] for each in bundles)
    return bundle


def _card(end: End) -> forms.Card | None:
    """What cut an answer, and how to mend that; its line stands below, where it is raised."""
    if end.error is None or not end.reply.error:
        return None
    from ..conversation.error_cards import error_card

    card = error_card(end.error)
    return {"title": card["title"], "message": "", "mend": card["mend"]}


def _code(reply: Reply) -> tuple[str, str]:
    """The code of an answer (all of it, if it has none), and its language."""
    blocks = markdown.code_blocks(reply.text)
    code, language = reply.code or reply.text, blocks[0].language if blocks else ""
    if language in ("", "json"):
        with suppress(ValueError):
            return pretty(json.loads(code)), "json"
    return code, language


def _parts(reply: Reply, format_: str) -> list[forms.Part]:
    """Where the answers stand in the plain text of `final_bundle`."""
    replies = reply.choices
    parts: list[forms.Part] = [{} for _ in replies]
    texts = [one.text for one in replies]
    if format_ == "code":
        found = [_code(one) for one in replies]
        parts, texts = (
            [{"language": language} for _, language in found],
            [code for code, _ in found],
        )
    _, spans = _one_under_another(texts, [one.ended_early for one in replies])
    for part, span in zip(parts, spans, strict=False):
        part["at"] = span
    return parts


def _one_under_another(
    texts: Sequence[str], remarks: Sequence[str] = ()
) -> tuple[str, list[list[int]]]:
    """Plain texts, each below its number, and where each stands; one stands alone."""
    if len(texts) == 1:
        return texts[0], []
    pairs = zip_longest(texts, remarks, fillvalue="")
    return forms.stacked(texts, [_title(n, mark) for n, (_, mark) in enumerate(pairs, 1)])


def _title(number: int, remark: str) -> str:
    return f"Answer {number} · {remark}" if remark else f"Answer {number}"


def _told(end: End, format_: str, footer: bool) -> list[str]:
    """What stands below an answer."""
    told = _mismatch(end.reply, format_)
    return [*end.reply.footer_parts, *end.notes, *told] if footer else told


def _mismatch(reply: Reply, format_: str) -> list[str]:
    """What is told of an answer that is not of the format that was asked for."""
    if format_ == "json":
        try:
            reply.json()
        except ValueError as error:
            return [f"this is no JSON ({error})"]
    return []


def framed(page: str) -> str:
    """HTML of a model, in a frame that runs no script and fetches nothing, as high as it needs."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    head = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    source = html.escape(head + page, quote=True)
    style = "width:100%;height:24em;border:1px solid rgba(128,128,128,.4);background:#fff"
    # Without `allow-scripts` nothing in it runs; with the same origin the page here may measure it.
    fit = "this.style.height=0;this.style.height=this.contentDocument.documentElement.scrollHeight"
    return (
        f'<iframe sandbox="allow-same-origin" title="HTML answer" style="{style}" '
        f'onload="{fit}+2+\'px\'" srcdoc="{source}"></iframe>'
    )


def fenced(code: str, language: str = "", after_others: bool = False) -> str:
    """Code as a Markdown fence that nothing in it can close."""
    longest = max(map(len, re.findall("`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return markdown.safe(f"{fence}{language}\n{code}\n{fence}\n", after_others)


def pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)
