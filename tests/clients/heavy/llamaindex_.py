"""LlamaIndex's class for servers like OpenAI's."""

from __future__ import annotations

from typing import Any

import openai
from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai_like import OpenAILike


def look(query: str) -> str:
    """Look."""
    return query


def main(address: str, key: str, others: list[str]) -> dict[str, Any]:
    def model(name: str, chat: bool = True, **more: Any) -> Any:
        where = {"api_base": address, "api_key": key, "max_retries": 0}
        return OpenAILike(model=name, is_chat_model=chat, **where, **more)

    asked = [ChatMessage("Why?")]
    told: dict[str, Any] = {"whole": model("quick").chat(asked).message.content}
    told["streamed"] = "".join(part.delta for part in model("quick").stream_chat(asked))
    told["completed"] = model("quick", chat=False).complete("Why?").text
    caller = model("caller", is_function_calling_model=True)
    answer = caller.chat_with_tools([FunctionTool.from_defaults(look)], "Why?")
    (call,) = caller.get_tool_calls_from_response(answer)
    told["called"] = call.tool_name
    told["errors"] = errors = []
    for ask in (model("no-such-model").complete, model("no-such-model", chat=False).complete):
        try:
            ask("Why?")
        except openai.NotFoundError as error:
            errors.append(str(error))
    return told
