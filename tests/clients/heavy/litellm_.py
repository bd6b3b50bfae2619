"""LiteLLM's library."""

from __future__ import annotations

from typing import Any

import litellm

HI = [{"role": "user", "content": "Why?"}]
TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]


def main(address: str, key: str, others: list[str]) -> dict[str, Any]:
    where = {"api_base": address, "api_key": key}

    def ask(model: str, **more: Any) -> Any:
        return litellm.completion(f"openai/{model}", HI, **where, **more)

    told: dict[str, Any] = {"whole": ask("quick").choices[0].message.content}
    usage = {"stream_options": {"include_usage": True}}
    chunks = [*ask("quick", stream=True, **usage)]
    pieces = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    told["streamed"] = "".join(piece or "" for piece in pieces)
    told["counted"] = chunks[-1].usage.completion_tokens
    told["thought"] = ask("thinker").choices[0].message.reasoning_content
    (call,) = ask("caller", tools=TOOLS).choices[0].message.tool_calls
    told["called"] = call.function.name
    if address.endswith(f"{address.split('/')[2]}/v1"):  # it looks nowhere else
        told["models"] = litellm.get_valid_models(
            check_provider_endpoint=True, custom_llm_provider="openai", **where
        )
    claude = {"api_base": address.removesuffix("/v1"), "api_key": key}
    told["anthropic"] = (
        litellm.completion("anthropic/quick", HI, **claude).choices[0].message.content
    )
    told["errors"] = errors = []
    for model, more in (("no-such-model", {}), ("no-such-model", {"stream": True})):
        try:
            [*ask(model, **more)]
        except litellm.NotFoundError as error:
            errors.append(str(error))
    try:
        litellm.completion("openai/quick", HI, api_base=address, api_key="sk-wrong")
    except litellm.AuthenticationError as error:
        told["refused"] = str(error)
    return told
