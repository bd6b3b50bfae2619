"""LangChain's classes for OpenAI."""

from __future__ import annotations

from typing import Any

import openai
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel

PICTURE = "data:image/png;base64,iVBORw0KGgo="


class Capital(BaseModel):
    capital: str


def look(query: str) -> str:
    """Look."""
    return query


def main(address: str, key: str, others: list[str]) -> dict[str, Any]:
    def model(name: str, **more: Any) -> Any:
        return ChatOpenAI(model=name, base_url=address, api_key=key, max_retries=0, **more)

    told: dict[str, Any] = {"whole": model("quick").invoke("Why?").text}
    chunks = [*model("quick", stream_usage=True).stream("Why?")]
    told["streamed"] = "".join(chunk.text for chunk in chunks)
    counted = [chunk.usage_metadata for chunk in chunks if chunk.usage_metadata]
    told["counted"] = counted[-1]["output_tokens"]
    (call,) = model("caller").bind_tools([look]).invoke("Why?").tool_calls
    told["called"] = call["name"]
    shaped = model("jan-mini").with_structured_output(Capital)
    told["shaped"] = shaped.invoke("What is the capital of Italy?").capital
    parts = [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": PICTURE}},
    ]
    told["saw"] = model("echo").invoke([{"role": "user", "content": parts}]).text
    told["responses"] = model("quick", use_responses_api=True, store=False).invoke("Why?").text
    where: dict[str, Any] = {"model": "jan-mini", "base_url": address, "api_key": key}
    embeddings = OpenAIEmbeddings(check_embedding_ctx_length=False, **where)
    told["vectors"] = len(embeddings.embed_documents(["a", "b"]))
    told["errors"] = errors = []
    for ask in (model("no-such-model").invoke, lambda text: [*model("no-such-model").stream(text)]):
        try:
            ask("Why?")
        except openai.NotFoundError as error:
            errors.append(str(error))
    return told
