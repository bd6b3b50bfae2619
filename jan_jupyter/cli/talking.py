"""`jan-jupyter chat` without a question: a conversation in a terminal."""

from __future__ import annotations

import contextlib
import signal
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FrameType
from typing import Any, NamedTuple, NoReturn

from .. import errors
from ..commands.candidates import Offer, paths, ready_models, threads, unquoted
from ..commands.options import key_value, near
from .answering import Paper, show
from .asking import LIVE, Asker
from .terminal import worded

PROMPT, MORE = "> ", "… "
BLOCK = '"""'


class Leave(Exception):
    """The conversation is over."""


def run(options: Namespace) -> int:
    """Talk until the user leaves; the exit code. Raises `JanError` if it cannot even begin."""
    talk = Talk(options)
    talk.greet()
    with _lines(talk.offered) as read, _ended_in_order():
        while True:
            try:
                talk.take(question(read))
            except KeyboardInterrupt:
                print()  # what was typed is dropped
            except EOFError:
                print()
                return 0
            except Leave:
                return talk.code
            except errors.JanError as error:
                talk.paper.end_line()
                print(worded(str(error)), file=sys.stderr)


def question(read: Callable[[str], str]) -> str:
    """What the user types: a line; several if each but the last ends with a backslash, or between
    two times three quotes. Raises `EOFError` where there is no more."""
    line = read(PROMPT)
    if line.strip().startswith(BLOCK):
        lines = [line.strip().removeprefix(BLOCK)]
        while not lines[-1].rstrip().endswith(BLOCK):
            lines.append(read(MORE))
        lines[-1] = lines[-1].rstrip().removesuffix(BLOCK)
        return "\n".join(lines).strip("\n")
    lines = [line]
    while lines[-1].endswith("\\"):
        lines[-1] = lines[-1][:-1]
        lines.append(read(MORE))
    return "\n".join(lines)


class Talk:
    """One who talks: what is typed goes in (`take`), what comes is printed."""

    def __init__(self, options: Namespace) -> None:
        self.asker = Asker(options)
        self.attached: list[Any] = [*options.attach]
        self.paper = Paper(sys.stdout)
        self.code = 0
        """The exit code, once it is over."""
        self._last: tuple[str, Sequence[Any]] = ("", ())
        """What was asked last, and what went along with it."""

    def greet(self) -> None:
        self._say(f"{self._model()} · /help for commands, Ctrl-D to leave")
        self._tell_thread()
        for one in self.attached:
            self._say(f"goes along with the next question: {one}")

    def take(self, text: str) -> None:
        """Do what the user has typed. Raises `JanError`, `Leave`."""
        word, _, rest = text.strip().partition(" ")
        if not word:
            return
        if word[0] == "/" and "/" not in word[1:] and "\n" not in text and text[0] == "/":
            name = ALIASES.get(word[1:], word[1:])
            if (command := COMMANDS.get(name)) is None:
                meant = near(name, COMMANDS)
                hint = f"did you mean /{meant}?" if meant else "/help shows them."
                raise errors.UsageError(
                    f"There is no command {word}: {hint} A question may begin with a blank."
                )
            command.run(self, rest.strip())
        else:
            self._ask(text)

    def offered(self, line: str) -> Sequence[str]:
        """What Tab may make of a line that begins so."""
        word, blank, current = line.partition(" ")
        if not blank:
            return [f"/{name}" for name in COMMANDS if f"/{name}".startswith(line)]
        command = COMMANDS.get(ALIASES.get(word[1:], word[1:]))
        found = command.candidates(current) if command and command.candidates else ()
        names = [unquoted(text) for text, _ in found]
        return [f"{word} {name}" for name in names if name.startswith(current)]

    # What the commands do -------------------------------------------------------------------------

    def use_model(self, name: str) -> None:
        if name:
            self.asker.workspace.router.model(name)  # raises for one that is not there
            self.asker.model = name
        self._say(self._model())

    def use_thread(self, name: str) -> None:
        if name:
            self.asker.talk = self.asker.open(name)
            self._last = "", ()
        if not self._tell_thread():
            self._say("no thread: what is said here is not kept")

    def start_anew(self, _: str) -> None:
        self.asker.talk = self.asker.open(None)
        self._last = "", ()
        self._say("a new conversation")

    def instruct(self, text: str) -> None:
        if text:
            self.asker.system = self.asker.talk.system = text
        self._say(f"instructions: {self.asker.system or 'none'}")

    def set_parameter(self, text: str) -> None:
        for word in text.split():
            try:
                name, value = key_value(word)
            except ValueError:
                raise errors.UsageError(f"/set KEY=VALUE, not {word}.") from None
            self.asker.parameters[name] = value
        held = self.asker.parameters.items()
        self._say(" ".join(f"{name}={value}" for name, value in held) or "no parameter is set")

    def attach(self, name: str) -> None:
        if not name:
            raise errors.UsageError("/attach FILE: a picture, a PDF or a text.")
        from ..attachments import part_of

        self.attached.append(part_of(name))  # read now: a wrong name is told at once
        self._say(f"goes along with the next question: {name}")

    def ask_again(self, _: str) -> None:
        messages = self.asker.talk.messages
        if not self._last[0] and not any(message.role == "user" for message in messages):
            raise errors.UsageError("Nothing has been asked here yet.")
        self._answer(*self._last, again=True)

    def help(self, _: str) -> None:
        width = max(len(f"{name} {command.takes}") for name, command in COMMANDS.items())
        for name, command in COMMANDS.items():
            print(f"  /{f'{name} {command.takes}':<{width}}  {command.help}")
        print(
            f"\n  {BLOCK} begins and ends several lines; or \\ ends each but the last of them."
            "\n  Ctrl-C stops an answer and keeps what came; Ctrl-D leaves."
        )

    def leave(self, _: str) -> None:
        raise Leave

    # Inside ---------------------------------------------------------------------------------------

    def _ask(self, text: str) -> None:
        self._answer(text, self.attached)

    def _answer(self, text: str, attach: Sequence[Any], *, again: bool = False) -> None:
        live = self.asker.format in LIVE
        try:
            answer = self.asker.stream(text, attach, again=again)
            self._last, self.attached = (text, attach), []
            outcome = show(answer, self.paper, live=live)
        finally:
            self.paper.end_line()
        if outcome.reader_gone or outcome.signal not in (0, signal.SIGINT):
            self.code = 128 + (outcome.signal or signal.SIGHUP)
            raise Leave
        self.asker.end(outcome, self.paper, live=live)
        print()

    def _model(self) -> str:
        kept = self.asker.kept
        named = self.asker.model or (kept.model if kept else None)
        return named or self.asker.workspace.router.model(None)[0].reference

    def _tell_thread(self) -> bool:
        """Which thread it is, with its last turn; whether there is one."""
        if (kept := self.asker.kept) is None:
            return False
        said = [
            one
            for one in self.asker.talk.messages
            if one.role in ("user", "assistant") and one.text
        ]
        self._say(f"thread {kept.title}: {_count(len(said))}")
        with contextlib.suppress(ImportError):
            import readline

            for one in said:
                if one.role == "user":
                    readline.add_history(one.text)
        for one in said[-2:]:
            mark = PROMPT if one.role == "user" else ""
            self._say(f"{mark}{one.text}")
        return True

    def _say(self, line: str) -> None:
        self.paper.quiet(line)


class Command(NamedTuple):
    run: Callable[[Talk, str], None]
    help: str
    takes: str = ""
    candidates: Callable[[str], Offer] | None = None


COMMANDS: Mapping[str, Command] = {
    "model": Command(Talk.use_model, "ask this one from now on", "NAME", ready_models),
    "thread": Command(Talk.use_thread, "go on with a thread, made if it is new", "NAME", threads),
    "new": Command(Talk.start_anew, "begin a new conversation, which is not kept"),
    "retry": Command(Talk.ask_again, "ask the last question again; the answer is replaced"),
    "system": Command(Talk.instruct, "instructions that hold from now on", "TEXT"),
    "set": Command(Talk.set_parameter, "a parameter that holds from now on", "KEY=VALUE"),
    "attach": Command(Talk.attach, "send a file with the next question", "FILE", paths),
    "help": Command(Talk.help, "this list"),
    "exit": Command(Talk.leave, "leave"),
}
ALIASES = {"image": "attach", "quit": "exit", "bye": "exit", "?": "help"}


def _count(messages: int) -> str:
    return f"{messages:,} message{'' if messages == 1 else 's'}" if messages else "new"


@contextlib.contextmanager
def _lines(offered: Callable[[str], Sequence[str]]) -> Iterator[Callable[[str], str]]:
    """What reads lines; with the keys, the history and Tab of readline where that is."""
    try:
        import readline
    except ImportError:  # Windows has such keys of its own
        yield input
        return
    found: list[str] = []

    def complete(line: str, place: int) -> str | None:
        if place == 0:
            found.clear()
            with contextlib.suppress(Exception):  # a fault would be printed into the line
                found.extend(offered(line) if line[:1] == "/" else ())
        return found[place] if place < len(found) else None

    readline.set_completer(complete)
    readline.set_completer_delims("\n")
    apple = "libedit" in (readline.__doc__ or "")
    readline.parse_and_bind("bind ^I rl_complete" if apple else "tab: complete")
    try:
        yield input
    finally:
        readline.set_completer(None)


@contextlib.contextmanager
def _ended_in_order() -> Iterator[None]:
    """Told to end, it ends as any program: readline gives the terminal back as it was."""

    def end(number: int, frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
