"""Deltas fold into a `Reply`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from time import time
from typing import Any

from . import growing
from .router import Target
from .structured import Shape
from .types import ChatRequest, Delta, Finish, Message, Reply, Timings, Usage

NOTHING = Usage()


class _Choice:
    """What has come of one answer."""

    def __init__(self) -> None:
        self.tool_calls: list[Mapping[str, Any]] = []
        self.logprobs: list[Mapping[str, Any]] = []
        self.last = Delta()
        self._text, self._reasoning = growing.Text(), growing.Text()

    def add(self, delta: Delta) -> None:
        if delta.text:
            self._text.add(delta.text)
        if delta.reasoning:
            self._reasoning.add(delta.reasoning)
        if delta.tool_calls:
            _gather(self.tool_calls, delta.tool_calls)
        if delta.logprobs:
            self.logprobs += delta.logprobs
        if delta.finish is not None:
            self.last = delta

    @property
    def text(self) -> str:
        return str(self._text)

    @property
    def reasoning(self) -> str:
        return str(self._reasoning)


class Fold:
    """Gathers deltas into a `Reply`; what has come is there at any moment."""

    def __init__(
        self,
        request: ChatRequest,
        target: Target,
        shape: Shape | None = None,
        spent: Usage = NOTHING,
    ) -> None:
        self._request = request
        self._target = target
        self._shape = shape
        self._spent = spent
        self._first = _Choice()
        self._choices = {0: self._first}

    def add(self, delta: Delta) -> None:
        if delta.choice not in self._choices:
            self._choices[delta.choice] = _Choice()
        self._choices[delta.choice].add(delta)

    @property
    def text(self) -> str:
        """The text of the first answer."""
        return self._first.text

    def reply(self, error: BaseException | None = None) -> Reply:
        """The answer so far; `error` says why there is no more."""
        first, *others = (self._reply(self._choices[n], error) for n in sorted(self._choices))
        return replace(first, others=tuple(others)) if others else first

    def _reply(self, choice: _Choice, error: BaseException | None) -> Reply:
        last, request = choice.last, self._request
        finish: Finish | None = last.finish
        reason = None
        if choice is not self._first and finish is not None:
            pass  # it was whole before the others were cut
        elif isinstance(error, KeyboardInterrupt | asyncio.CancelledError | GeneratorExit):
            finish = "cancelled"
        elif error is not None:
            reason = str(error)
        calls = {"tool_calls": choice.tool_calls} if choice.tool_calls else {}
        return Reply(
            text=choice.text,
            model=self._target.model.id,
            engine=self._target.engine.options.name,
            messages=(
                *request.messages,
                Message("assistant", choice.text, {**last.extra, **calls}),
            ),
            usage=(self._spent if choice is self._first else NOTHING) + (last.usage or NOTHING),
            timings=last.timings or Timings(),
            finish=finish,
            reasoning=choice.reasoning,
            tool_calls=tuple(choice.tool_calls),
            request=request,
            error=reason,
            notes=tuple(last.notes),
            logprobs=tuple(choice.logprobs),
            stop=last.stop,
            reader=self._shape.read if self._shape else None,
            at=time(),
        )


def _gather(calls: list[Mapping[str, Any]], pieces: Sequence[Mapping[str, Any]]) -> None:
    """Put pieces of streamed tool calls together: same index, arguments joined."""
    for piece in pieces:
        index = piece.get("index", len(calls))
        function = dict(piece.get("function") or {})
        if index < len(calls):
            known = dict(calls[index])
            before = dict(known.get("function") or {})
            before["arguments"] = before.get("arguments", "") + (function.get("arguments") or "")
            if function.get("name"):
                before["name"] = function["name"]
            calls[index] = {**known, "function": before}
        else:
            rest = {k: v for k, v in piece.items() if k not in ("index", "function")}
            function.setdefault("arguments", "")
            calls.append({"type": "function", **rest, "function": function})
