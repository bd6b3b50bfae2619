"""Python functions that a model may call: described to it, and run only when the user agrees.

A function's type hints and docstring make its description; what a model gives as arguments is
validated against them before the function sees it.
"""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeVar

from .consent import agreed
from .errors import UsageError
from .types import Message

T = TypeVar("T")
Function = Callable[..., Any]
Approve = Callable[["Call"], "bool | Awaitable[bool]"]

MOST_ROUNDS = 10
"""How often in a row a model may ask for functions."""
LARGEST_RESULT = 100_000
"""Characters of a result that go back to the model."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call that a model asks for. `arguments` are validated; `str(call)` shows it as code."""

    name: str
    arguments: Mapping[str, Any]

    def __str__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.arguments.items())
        return f"{self.name}({shown})"


class Tool:
    """A function and its description. Raises `UsageError` for what cannot be described."""

    def __init__(self, function: Function) -> None:
        if not callable(function):
            raise UsageError(f"{function!r} is no function, so it cannot be a tool.")
        self.function = function
        self.name: str = getattr(function, "__name__", type(function).__name__)
        try:
            self._signature = inspect.signature(function, eval_str=True)
        except (TypeError, ValueError, NameError) as error:
            raise UsageError(f"{self.name} cannot be a tool: {error}.") from error

    @cached_property
    def _model(self) -> Any:
        """A pydantic model of the arguments."""
        from pydantic import ConfigDict, create_model
        from pydantic.errors import PydanticUserError

        fields: dict[str, Any] = {}
        extra: Literal["allow", "forbid"] = "forbid"
        for name, parameter in self._signature.parameters.items():
            if parameter.kind is parameter.VAR_KEYWORD:
                extra = "allow"
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                continue
            kind = Any if parameter.annotation is parameter.empty else parameter.annotation
            default = ... if parameter.default is parameter.empty else parameter.default
            fields[name] = (kind, default)
        try:
            return create_model(self.name, __config__=ConfigDict(extra=extra), **fields)
        except (PydanticUserError, TypeError, NameError) as error:
            raise UsageError(
                f"{self.name} cannot be a tool: {str(error).splitlines()[0]}"
            ) from error

    @cached_property
    def description(self) -> Mapping[str, Any]:
        """OpenAI's tool object."""
        schema = self._model.model_json_schema()
        schema.pop("title", None)
        about = inspect.getdoc(self.function) or ""
        return {
            "type": "function",
            "function": {"name": self.name, "description": about, "parameters": schema},
        }

    def call(self, arguments: Mapping[str, Any]) -> Call:
        """Raises `ValueError` with one line, meant for the model, if they do not fit."""
        from pydantic import ValidationError

        try:
            values = self._model.model_validate(arguments)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"])) or "arguments"
            raise ValueError(f"{place}: {first['msg']}") from error
        given = {name: getattr(values, name) for name in type(values).model_fields}
        return Call(self.name, {**given, **(values.model_extra or {})})

    def run(self, call: Call) -> Any:
        named = dict(call.arguments)
        positional = [
            named.pop(name)
            for name, parameter in self._signature.parameters.items()
            if parameter.kind is parameter.POSITIONAL_ONLY
        ]
        return self.function(*positional, **named)


def listed(given: Any) -> Sequence[Any]:
    """What may be given as a list or tuple, as one thing, or as nothing."""
    return () if given is None else given if isinstance(given, list | tuple) else [given]


class Toolbox:
    """The functions of one request. They run where the answer is waited for, never elsewhere."""

    def __init__(
        self, functions: Sequence[Function] | Function | None, approve: Approve | bool | None = None
    ) -> None:
        tools = [Tool(function) for function in listed(functions)]
        self._tools = {tool.name: tool for tool in tools}
        if len(self._tools) < len(tools):
            raise UsageError("Two tools have the same name.")
        self._approve = approve

    def __bool__(self) -> bool:
        return bool(self._tools)

    @property
    def descriptions(self) -> list[Mapping[str, Any]]:
        return [tool.description for tool in self._tools.values()]

    async def answers(
        self, calls: Sequence[Mapping[str, Any]], told: Callable[[str, str], None] | None = None
    ) -> list[Message]:
        """Run what a model asks for, one after the other; a message for each result.

        What fails, or is not allowed, is a result too: the model is told. `told(call, result)`
        is called after each. Suspends only for what is awaitable itself.
        """
        messages = []
        for asked in calls:
            function = asked.get("function") or {}
            shown, result = await self._answer(
                str(function.get("name")), str(function.get("arguments") or "{}")
            )
            if told is not None:
                told(shown, result)
            messages.append(
                Message("tool", result, {"tool_call_id": str(asked.get("id") or function["name"])})
            )
        return messages

    async def _answer(self, name: str, written: str) -> tuple[str, str]:
        tool = self._tools.get(name)
        if tool is None:
            return f"{name}(…)", f"Error: there is no function {name!r}."
        try:
            arguments = json.loads(written)
            call = tool.call(arguments if isinstance(arguments, dict) else {"": arguments})
        except ValueError as error:
            return f"{name}({written})", f"Error: {error}"
        if not await self._allowed(call):
            return str(call), "Error: the user did not allow this call."
        try:
            value = tool.run(call)
            if inspect.isawaitable(value):
                value = await value
        except Exception as error:
            return str(call), f"Error: {type(error).__name__}: {error}"
        return str(call), _written(value)

    async def _allowed(self, call: Call) -> bool:
        if self._approve is None:
            return _asks(call)
        if isinstance(self._approve, bool):
            return self._approve
        said = self._approve(call)
        return bool(await said if inspect.isawaitable(said) else said)


def _asks(call: Call) -> bool:
    """Ask at the keyboard; without one nothing is allowed."""
    shown = "".join(c if c.isprintable() else "�" for c in str(call))
    said = agreed(f"The model wants to run {shown}. Allow?")
    if said is None:
        raise UsageError(
            f"The model wants to run {shown}, and nobody can be asked here: functions run unasked"
            " only with approve=True (in a cell: --yes)."
        )
    return said


def _written(value: Any) -> str:
    """A result as the model reads it."""
    if isinstance(value, str):
        text = value
    else:
        try:
            text = json.dumps(value, ensure_ascii=False)
        except (TypeError, ValueError):
            text = str(value)
    return text if len(text) <= LARGEST_RESULT else text[:LARGEST_RESULT] + " … (cut)"


def run_here(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in this thread, as a blocking call does.

    Under a loop that runs here already it may not wait for anything: raises `UsageError` then.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        # Not `asyncio.run`: nest_asyncio makes one of it that leaves its loop open. With a factory
        # it leaves the thread's own loop alone.
        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            return runner.run(coroutine)
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    coroutine.close()
    raise UsageError(
        "An async tool needs `await jan.achat(…)`: a blocking call cannot wait for it."
    )
