"""Jupyter AI: its magic in an IPython, and the model that its Jupyternaut asks in the chat."""

from __future__ import annotations

import asyncio
import logging
import os
from types import SimpleNamespace
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from jupyter_ai_jupyternaut.jupyternaut.jupyternaut import JupyternautPersona
from langgraph.checkpoint.memory import InMemorySaver
from traitlets.config import Config


def main(address: str, key: str, others: list[str]) -> dict[str, Any]:
    os.environ["OPENAI_API_KEY"] = key
    *cells, config = others
    shell: Any = InteractiveShell.instance()

    def run(cell: str) -> str:
        with capture_output() as captured:
            result = shell.run_cell(cell).result
        return f"{getattr(result, 'data', result)}{captured.stderr}"

    told: dict[str, Any] = {"real": [run(cell) for cell in cells][-1]}
    run(f"%ai alias quick openai/quick --api-base {address}")
    told["whole"] = run("%%ai quick\nWhy?")
    run(f"%ai alias unknown openai/no-such-model --api-base {address}")
    run(f"%ai alias named openai/quick --api-base {address} --api-key-name OPENAI_API_KEY")
    told["errors"] = [run("%%ai unknown\nWhy?")]
    told["refused"] = run("%%ai named\nWhy?")
    told["chat"] = asyncio.run(chat(config))
    return told


async def chat(config: str) -> str:
    """What Jupyternaut's agent says, which has the tools of no server here."""
    c = Config()
    exec(config, {"c": c})
    set_up = c.JupyternautExtension
    name = set_up.initial_language_model

    async def no_tools() -> list[Any]:
        return []

    async def memory() -> Any:
        return InMemorySaver()

    persona: Any = SimpleNamespace(
        get_tools=no_tools,
        get_memory_store=memory,
        log=logging.getLogger(),
        _create_tool_error_handler=lambda: JupyternautPersona._create_tool_error_handler(persona),
    )
    given = set_up.model_parameters[name]
    agent = await JupyternautPersona.get_agent(persona, name, given, "Answer briefly.")
    asked = {"messages": [{"role": "user", "content": "What is 7 + 5?"}]}
    pieces = agent.astream(asked, {"configurable": {"thread_id": "a"}}, stream_mode="messages")
    return "".join([piece.text async for piece, _ in pieces])
