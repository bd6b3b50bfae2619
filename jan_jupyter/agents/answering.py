"""An answer in a chat of Jupyter AI: what is asked, how it is shown as it comes, what it took.

Chats and personas are Jupyter AI's; what is needed of them is written down as `Persona`. Its server
imports this when the first chat is opened, and the rest of us, in a thread, when it is asked for.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import JanError
from ..markdown import SafeMarkdown, plain, with_footer
from ..settings import settings

if TYPE_CHECKING:
    from ..ask import Stream
    from ..attachments import Part
    from ..types import Event, Message, Reply, Role

AVATAR = str(Path(__file__).parent.parent / "data" / "avatar.svg")
INTERVAL = 0.1
CHARACTERS_PER_SECOND = 20_000
"""Each update writes the chat's file and draws the whole answer: so the interval grows with it."""
OURS = "jan"
"""Where in the metadata of a message the answer stands as it came."""

_log = logging.getLogger("jan_jupyter.agents")


class Persona(Protocol):
    """Of Jupyter AI's `BasePersona`."""

    id: str
    chat: Any

    def resolve_attachment_to_path(self, attachment_id: str) -> str | None: ...


def choices() -> tuple[str | None, list[tuple[str, str, str]]]:
    """The default model, and all that can be asked: id, name, and a word on each."""
    from ..workspace import shared

    router = shared().router
    ready = [model for model in router.store.list() if model.state == "ready"]
    default: str | None = None
    with suppress(JanError):  # where nothing can be asked
        default = router.model(None)[0].reference
    return default, [(one.reference, one.name or one.reference, one.engine) for one in ready]


def refused(error: Exception) -> str:
    """What went wrong, as one line of harmless Markdown."""
    if isinstance(error, JanError):
        return f"⚠ {plain(str(error))}"
    kind = type(error).__name__
    return f"⚠ This failed ({kind}), which is a fault of jan_jupyter: the server's log tells more."


# What is asked ------------------------------------------------------------------------------------


def said(persona: Persona, question: Any) -> list[Message]:
    """A chat up to a question, as a model reads it: what the persona has said are the answers, all
    else is asked. Raises `UsageError` for an attachment of the question that cannot be sent.
    """
    from ..types import Message

    turns: list[tuple[Role, list[Part]]] = []
    before = takewhile(lambda one: one.id != question.id, persona.chat.get_messages())
    for message in [*before, question]:  # which stands in no chat if another program asks it
        role: Role = "assistant" if message.sender == persona.id else "user"
        parts = [*_parts(persona, message, is_question=message is question)]
        if parts and turns and turns[-1][0] == role:  # some models want them to take turns
            turns[-1][1].extend(parts)
        elif parts and (turns or role == "user"):
            turns.append((role, parts))
    return [Message(role, _content(parts)) for role, parts in turns]


def _content(parts: Sequence[Part]) -> str | list[Part]:
    """Text as long as all of it is: not every model takes parts."""
    if all(part["type"] == "text" for part in parts):
        return "\n\n".join(part["text"] for part in parts)
    return [*parts]


def _parts(persona: Persona, message: Any, *, is_question: bool) -> Iterator[Part]:
    if message.deleted or message.sender.startswith("hidden::"):  # Jupyter AI's own words
        return
    for id in message.attachments or ():
        try:
            yield from _attached(persona, id)
        except JanError:  # what was refused then is not asked again
            if is_question:
                raise
    text = (message.metadata or {}).get(OURS, {}).get("text", message.body)
    if text.strip():
        yield {"type": "text", "text": text}


def _attached(persona: Persona, id: str) -> Iterator[Part]:
    from ..attachments import part_of

    path = persona.resolve_attachment_to_path(id)
    if path is None:
        return
    attachment = persona.chat.get_attachments()[id]
    if attachment.type == "notebook":
        cells = [cell.id for cell in attachment.cells or ()]
        with suppress(ValueError, KeyError, TypeError, AttributeError):  # else as it stands there
            yield {"type": "text", "text": _notebook(Path(path), cells)}
            return
    yield part_of(path)


def _notebook(path: Path, wanted: Sequence[str]) -> str:
    """What stands in the cells of a notebook (all, if none is named), without outputs."""
    sources = [
        f"[{cell['cell_type']}]\n{''.join(cell['source'])}"
        for cell in json.loads(path.read_text("utf-8"))["cells"]
        if not wanted or cell.get("id") in wanted
    ]
    return "\n\n".join([f"{path.name}:", *sources])


# What comes ---------------------------------------------------------------------------------------


class Answering:
    """The answer to a message of a persona's chat, by a model or the default; it begins at once."""

    def __init__(self, persona: Persona, question: Any, model: str | None) -> None:
        self._persona = persona
        self._question = question
        self._model = model
        self._stream: Stream | None = None
        self._work = asyncio.ensure_future(self._ask())
        self._awaited = ""
        self._shown = SafeMarkdown()
        self._length = 0

    async def _ask(self) -> Reply:
        self._stream = await asyncio.to_thread(self._prepared)
        from ..ask import whole

        unwatch = self._stream.router.watch(self._watch)
        try:
            return await whole(self._stream)
        finally:
            unwatch()

    def _prepared(self) -> Stream:
        from ..chat import Chat

        return Chat(self._model).stream(said(self._persona, self._question))

    def _watch(self, event: Event) -> None:
        if self._stream is not None and event.model == self._stream.target.model.id:
            self._awaited = event.awaited

    def stop(self) -> None:
        """Also at the engine; what has come stays."""
        self._work.cancel()

    async def shown(self, status: Callable[[str], object]) -> AsyncGenerator[dict[str, Any], None]:
        """The fields of the message, as it grows; the last ones tell how it ended, and what went
        wrong. `status` is told what is waited for.
        """
        told = ""
        while not self._work.done():
            wait = INTERVAL + self._length / CHARACTERS_PER_SECOND
            await asyncio.wait([self._work], timeout=wait)
            if (now := f"· {self._awaited}" if self._awaited else "is typing …") != told:
                status(told := now)
            if self._more() and not self._work.done():
                yield _fields(self._shown.text)
        yield self._last()

    def _more(self) -> bool:
        """Whether there is more than what was shown."""
        text = self._stream.text if self._stream is not None else ""
        before, self._length = self._length, len(text)
        self._shown.feed(text[before:])
        return len(text) > before

    def _last(self) -> dict[str, Any]:
        error = self._error
        if error is not None and not isinstance(error, JanError):
            _log.error("An answer in a chat failed", exc_info=error)
        if self._stream is None:
            return _fields("*stopped*" if error is None else refused(error), {"text": ""})
        self._more()
        reply = self._reply
        brief = " · ".join(filter(None, [reply.ended_early, *reply.notes]))
        body = with_footer(self._shown.text, reply.footer if settings().footer else brief)
        if error is not None:
            body = f"{body}\n\n{refused(error)}" if reply.text else refused(error)
        return _fields(body, {**reply.provenance(), "text": reply.text})

    @property
    def _error(self) -> Exception | None:
        found = None if self._work.cancelled() else self._work.exception()
        return found if isinstance(found, Exception) else None

    @property
    def _reply(self) -> Reply:
        assert self._stream is not None
        return self._stream.reply_so_far(self._error or asyncio.CancelledError())

    # What it took ---------------------------------------------------------------------------------

    @property
    def spent(self) -> dict[str, int]:
        """Tokens, as Jupyter AI adds them up."""
        if self._stream is None:
            return {}
        usage = self._reply.usage
        if not (usage.prompt or usage.completion):  # stopped before anybody told
            return {}
        return {
            "input_tokens": usage.prompt,
            "output_tokens": usage.completion,
            "total_tokens": usage.prompt + usage.completion,
        }

    @property
    def context(self) -> dict[str, int]:
        """How full the model's context is; nothing where its size is not known."""
        if self._stream is None:
            return {}
        from ..models.summary import facts

        store, model = self._stream.router.store, self._stream.target.model
        size, usage = facts(model, store.header(model)).context, self._reply.usage
        if not size or not usage.prompt:
            return {}
        return {"context_tokens": usage.prompt + usage.completion, "context_size": size}


def _fields(body: str, ours: Mapping[str, Any] | None = None) -> dict[str, Any]:
    metadata = None if ours is None else {OURS: ours}
    return {"body": body, "metadata": metadata, "time": time(), "raw_time": False}
