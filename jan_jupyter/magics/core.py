"""`%jan` and `%%jan`: parse the line, call the library, show the result."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections import ChainMap, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import (
    Magics,
    line_cell_magic,
    magics_class,
    needs_local_scope,
    no_var_expand,
)

from .. import errors
from ..cell import cell_id, notebook, request
from ..commands import options as words
from ..commands.command import Steps, Told, Work
from ..commands.notebook import GROUPS
from ..commands.notebook.help import help_text
from ..commands.shared import workspace
from ..interpolate import fill
from ..settings import settings
from . import options as opt
from .lines import parse_line
from .stopping import Stopped

if TYPE_CHECKING:
    from ..ask import Stream
    from ..chat import Chat
    from ..router import Target
    from ..types import Reply
    from .output import Output
    from .streaming import Outcome


@dataclass
class PendingAnswer:
    """An answer to come: where it is shown, and what happens to it then."""

    answer: Stream
    output: Output
    notes: list[str]
    options: Namespace
    talk: Chat
    """The conversation that it is a turn of."""


_NO_PARAMETERS = {"model", "messages", "attach", "place", "schema", "tools", "approve"}


ANSWERED = 50
"""So many answers are known with what they were asked."""


@dataclass
class CellRun:
    """A cell that runs: its lines that continue one conversation follow each other."""

    message: str = ""
    """Id of the message that asked for the cell."""
    continued: set[str] = field(default_factory=set)
    """The threads that a line of it has gone on with; `""` is the conversation in memory."""


@magics_class
class JanMagics(Magics):
    """State of the magics in one shell: default parameters, and the conversation."""

    shell: InteractiveShell

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self.parameters: dict[str, Any] = {}
        self.talk: Chat | None = None
        """The conversation in memory that `-c` goes on with."""
        self.answered: deque[tuple[Reply, Mapping[str, Any]]] = deque(maxlen=ANSWERED)
        """The last answers, each with the parameters that it was asked with."""
        self.cell_run = CellRun()
        self.shown: Any = None
        """The value of a line in this cell: it is on the screen already."""

    # What commands of a notebook call ------------------------------------------------------------

    def chat(self, arguments: Namespace) -> Any:
        from IPython.display import display

        import jan_jupyter as jan

        if not hasattr(self.shell, "kernel"):
            raise errors.UsageError(
                "The chat panel needs a notebook; in a terminal: %jan QUESTION."
            )
        panel = jan.ChatPanel(arguments.model, thread=arguments.thread)
        display(panel)  # type: ignore[no-untyped-call]
        return panel

    def compare(self, arguments: Namespace) -> Any:
        from .comparing import command

        return command(self, arguments)

    def ladder(self, arguments: Namespace) -> Any:
        from .comparing import ladder

        return ladder(self, arguments)

    def replay(self, arguments: Namespace) -> Any:
        from .comparing import replay

        return replay(self, arguments)

    # What IPython and the input transformer call -------------------------------------------------

    @no_var_expand
    @needs_local_scope
    @line_cell_magic
    def jan(
        self, line: str, cell: str | None = None, local_ns: Mapping[str, Any] | None = None
    ) -> Any:
        """Ask a language model; `%jan help` tells how."""
        names = self._names(local_ns)
        return self.line(line, names) if cell is None else self.cell(line, cell, names)

    def line(self, line: str, names: Mapping[str, Any]) -> Any:
        """`%jan …`: wait, and give the `Reply`, or the value of the subcommand."""
        self.shown = self._ended(self._line(line, names))
        return self.shown

    async def line_async(self, line: str) -> Any:
        self.shown = await self._ended_async(self._line(line, self._names()))
        return self.shown

    def cell(self, line: str, cell: str, names: Mapping[str, Any]) -> Any:
        """`%%jan`: wait; the value is that of a comparison, if the cell asks for one."""
        asked = self._cell(line, cell, names)
        value = self._ended(asked)
        if asked is None or isinstance(asked, PendingAnswer):
            return None
        self.shown = value
        return value

    async def cell_async(self, line: str, cell: str) -> Any:
        asked = self._cell(line, cell, self._names())
        value = await self._ended_async(asked)
        if asked is None or isinstance(asked, PendingAnswer):
            return None
        self.shown = value
        return value

    def _ended(self, asked: Any) -> Any:
        """Wait for what a line asks for; gives its value."""
        if isinstance(asked, PendingAnswer):
            return self._wait(asked)
        if isinstance(asked, Told):
            return self._told(asked)
        if isinstance(asked, Work):
            return self._wait_for_work(asked)
        return self._wait_for_steps(asked) if isinstance(asked, Steps) else asked

    async def _ended_async(self, asked: Any) -> Any:
        if isinstance(asked, PendingAnswer):
            return await self._await(asked)
        if isinstance(asked, Told):
            return self._told(asked)
        if isinstance(asked, Work):
            return await self._await_work(asked)
        return await self._await_steps(asked) if isinstance(asked, Steps) else asked

    # Asking ---------------------------------------------------------------------------------------

    def _names(self, local_ns: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """What a prompt may name: the locals of the function that the line is in, and all else."""
        names: dict[str, Any] = self.shell.user_ns
        # A `ChainMap` is typed for what is written to; nothing is written to these.
        return names if local_ns is None else ChainMap(local_ns, names)  # type: ignore[arg-type]

    def _line(self, line: str, names: Mapping[str, Any]) -> Any:
        """A `PendingAnswer`, `Told`, `Work` or `Steps`, as the line asks; or the value of it."""
        parsed = parse_line(line)
        if (command := parsed.command) is not None:
            if parsed.arguments.help:
                from ..commands.tables import page

                return page(command.page)
            with _quietly():
                return command.run(self, parsed.arguments)
        if not parsed.prompt and not line.strip():
            print(help_text(GROUPS))
            return None
        return self._asked(parsed.options, parsed.prompt, names)

    def _cell(
        self, line: str, cell: str, names: Mapping[str, Any]
    ) -> PendingAnswer | Steps | Work | None:
        # IPython ends every cell with a line break; only one that the user typed is kept.
        typed = str(request(self.shell, "content").get("code", ""))
        prompt = cell if typed.endswith(cell) else cell.removesuffix("\n")
        return self._asked(opt.parse_cell(line), prompt, names)

    def _asked(
        self, options: Namespace, prompt: str, names: Mapping[str, Any]
    ) -> PendingAnswer | Steps | Work | None:
        with _quietly():
            return self._prepare(options, prompt, names)

    def _prepare(
        self, options: Namespace, prompt: str, names: Mapping[str, Any]
    ) -> PendingAnswer | Steps | Work | None:
        from ..chat import Place
        from ..requests import empty
        from .named import attachment, function, schema, variable

        variable(options.as_name)
        text, notes = prompt, []
        if not options.raw:
            filled = fill(prompt, names)
            text = filled.text
            if filled.unresolved:
                notes.append(f"left as typed: {', '.join(filled.unresolved[:5])}")
        if options.thread is not None and not options.thread.strip():
            raise UsageError("%jan: --thread needs a name.")
        if not text.strip():
            raise empty()
        attached = [attachment(name, names) for name in options.attach]
        if words.compares(options):
            from .comparing import question

            return question(self, options, text, attached)
        shape = schema(options.schema, names) if options.schema else None
        if shape is not None and options.format == "markdown":
            options.format = "code"
        talk = self._talk_of(options)
        answer = talk.stream(
            text,
            attach=attached,
            place=Place(
                cell_id(self.shell), notebook(self.shell), self._first(options.thread or "")
            ),
            model=options.model,
            schema=shape,
            tools=[function(name, names) for name in options.tools],
            approve=options.yes or None,
            **self._given(options),
        )
        if options.dry_run:
            self._show_request(answer)
            return None
        self.cell_run.continued.add(options.thread or "")
        return PendingAnswer(answer, self._output(options.format, answer), notes, options, talk)

    def _talk_of(self, options: Namespace) -> Chat:
        """The conversation that the options are about."""
        from ..chat import Chat

        if options.thread:
            threads = workspace().threads
            kept = threads.find(options.thread) or threads.draft(options.thread)
            return Chat(thread=kept, system=options.system)
        if self.talk is None or not options.go_on:
            return Chat(system=options.system)
        self.talk.system = options.system or self.talk.system
        return self.talk

    def _given(self, options: Namespace) -> dict[str, Any]:
        """The parameters of the request."""
        given = {**self.parameters, **words.parameters_of(options)}
        if taken := given.keys() & _NO_PARAMETERS:
            raise UsageError(
                f"%jan: {min(taken)} is no parameter of an answer: it is what, or whom, you ask."
            )
        return given

    def _wait(self, pending: PendingAnswer) -> Reply:
        from ..tools import run_here
        from .streaming import show

        while True:
            reply = self._kept(pending, show(pending.answer, pending.output, pending.notes))
            with _quietly():
                following = run_here(pending.answer.follow(_show_call))
            if following is None:
                return reply
            pending = self._going_on(pending, following)

    async def _await(self, pending: PendingAnswer) -> Reply:
        from .streaming import show_async

        while True:
            outcome = await show_async(pending.answer, pending.output, pending.notes)
            reply = self._kept(pending, outcome)
            with _quietly():
                following = await pending.answer.follow(_show_call)
            if following is None:
                return reply
            pending = self._going_on(pending, following)

    def _going_on(self, pending: PendingAnswer, answer: Stream) -> PendingAnswer:
        """The same prompt after functions have been run for it; an output of its own."""
        output = self._output(pending.options.format, answer)
        return replace(pending, answer=answer, output=output)

    def _told(self, told: Told) -> Any:
        with _quietly():
            return told.show(told.found)

    def _wait_for_work(self, work: Work) -> Any:
        from ..bridge import wait

        with _quietly():
            return work.show(wait(work.coroutine))

    async def _await_work(self, work: Work) -> Any:
        from ..bridge import await_

        with _quietly():
            return work.show(await await_(work.coroutine))

    def _wait_for_steps(self, steps: Steps) -> Any:
        with _quietly():
            return steps.run()

    async def _await_steps(self, steps: Steps) -> Any:
        with _quietly():
            return await steps.arun()

    def _kept(self, pending: PendingAnswer, outcome: Outcome) -> Reply:
        """Keep what came, also of an answer that was cut; then raise what cut it."""
        reply, error = outcome
        if pending.answer.recorder is not None:
            pending.answer.recorder.settle()
        if error is None or reply.text:
            self.answered.append((reply, _asked_with(pending.answer.target)))
            if not pending.options.thread:
                self.talk = pending.talk
            if pending.options.as_name:
                self.shell.user_ns[pending.options.as_name] = reply
        if error is not None:
            raise quiet(error)
        return reply

    def _first(self, thread: str) -> bool:
        """Whether this line is the first of the cell, as it runs now, to go on with a thread."""
        message = str(request(self.shell, "header").get("msg_id", ""))
        if not message or message != self.cell_run.message:
            self.cell_run = CellRun(message)
        return thread not in self.cell_run.continued

    def _output(self, format_: str, answer: Stream) -> Output:
        from .output import NotebookOutput, TerminalOutput

        kind = NotebookOutput if hasattr(self.shell, "kernel") else TerminalOutput
        target = answer.target
        return kind(format_, settings().footer, target.model.id, target.engine.options.name)

    def _show_request(self, answer: Stream) -> None:
        from ..commands.tables import show
        from ..markdown import page
        from .output import fenced, pretty

        target = answer.target
        shown = pretty(target.engine.preview(target.model, answer.request))
        show({"text/markdown": page(fenced(shown, "json")), "text/plain": shown})


def _asked_with(target: Target) -> dict[str, Any]:
    """The parameters that people have set, in the line, the thread or the assistant."""
    said = ("request", "thread", "assistant")
    values = target.values.parameters
    return {name: one.value for name, one in values.items() if one.level in said}


def _show_call(call: str, result: str) -> None:
    """One line on a function that was run for the model; both texts may be anything."""
    from ..commands.tables import show
    from ..console import printable
    from ..markdown import page, with_footer

    result = result if len(result) <= 200 else f"{result[:199]}…"
    line = printable(f"{call} → {result}")
    show({"text/markdown": page(with_footer("", line)), "text/plain": line})


def quiet(error: BaseException) -> BaseException:
    """An error of ours shows as one line in a notebook; everybody else's keeps its traceback."""
    if isinstance(error, errors.JanError):
        line = f"\x1b[31m{type(error).__name__}\x1b[0m: {error}"
        error._render_traceback_ = lambda: [line]  # type: ignore[attr-defined]
    return error


@contextmanager
def _quietly() -> Iterator[None]:
    try:
        yield
    except errors.JanError as error:
        raise quiet(error) from error.__cause__
    except (asyncio.CancelledError, KeyboardInterrupt):
        raise Stopped from None


# What `%jan?` shows: written when it is asked for, not when the extension is loaded.
JanMagics.jan.getdoc = lambda: help_text(GROUPS)  # type: ignore[union-attr]
