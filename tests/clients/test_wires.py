"""Programs that are no Python packages: what they send, as they send it, to both servers.

Jan, JupyterLite AI and Continue ask by libraries of JavaScript, aider by LiteLLM; each request here
has the headers and the fields of theirs.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.hosts import Answer, Host, InJupyter
from support.server import StreamingServer

from .conftest import ANSWER, MODELS, PAGE, address, blocks

JAN = ("tauri://localhost", "http://tauri.localhost")
"""Whose page Jan's requests say that they come from: on Linux and macOS, and on Windows."""
TOOL = {
    "type": "function",
    "function": {
        "name": "look",
        "description": "Looks.",
        "parameters": {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "object",
            "properties": {"query": {"type": "string"}},
            "additionalProperties": False,
        },
    },
}
RESULT = [
    {"role": "user", "content": "Look."},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "call_0", "type": "function", "function": {"name": "look", "arguments": "{}"}}
        ],
    },
    {"role": "tool", "tool_call_id": "call_0", "content": "seen"},
]
SAID = {"role": "user", "content": "Why?"}


def events(answer: Answer) -> list[Any]:
    """What a stream says, read as its clients do: by lines that begin with `data: `."""
    assert answer.status == 200, answer
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    lines = answer.body.decode().split("\n")
    data = [line[6:] for line in lines if line.startswith("data: ")]
    assert data.pop() == "[DONE]"
    return [json.loads(one) for one in data]


def text(answer: Answer) -> str:
    choices = [event["choices"][0] for event in events(answer) if event["choices"]]
    assert choices[-1]["finish_reason"] == "stop"
    return "".join(choice["delta"].get("content") or "" for choice in choices)


# Jan: a provider of one's own ---------------------------------------------------------------------


@pytest.mark.parametrize("origin", JAN)
def test_jan(host: Host, origin: str, server: StreamingServer) -> None:
    json_type = {"Content-Type": "application/json", "Origin": origin}
    headers = {**json_type, "x-api-key": host.key, "Authorization": f"Bearer {host.key}"}
    listed = host.ask("GET", "/models", headers=headers)
    assert {*MODELS, "jan-mini"} <= {model["id"] for model in listed.json["data"]}
    asking = {**json_type, "Authorization": f"Bearer {host.key}"}
    body = {
        "model": "quick",
        "messages": [{"role": "system", "content": "Be brief."}, *RESULT, SAID],
        "tools": [TOOL],
        "tool_choice": "auto",
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    answer = host.ask("POST", "/chat/completions", body, asking)
    assert text(answer) == ANSWER
    assert events(answer)[-1]["usage"]["completion_tokens"] == 3
    assert [one["role"] for one in server.journal()[-1].body["messages"]][2:4] == [
        "assistant",
        "tool",
    ]
    wrong = host.ask("GET", "/models", headers={**json_type, "Authorization": "Bearer sk-wrong"})
    assert wrong.status == 401  # by which Jan tells a wrong key from a wrong address


# JupyterLite AI: in the page of a Jupyter server --------------------------------------------------


def test_jupyterlite_ai_in_jupyterlab(host: Host) -> None:
    """Its page sends the cookie of the login along, which is not what lets it in."""
    if not isinstance(host, InJupyter):
        pytest.skip("a page may only ask the server that it comes from")
    page = {
        **host.cookies(),
        "Origin": f"http://127.0.0.1:{host.port}",
        "Sec-Fetch-Site": "same-origin",
        "authorization": f"Bearer {host.key}",
        "content-type": "application/json",
        "user-agent": "ai-sdk/openai/3.0.141 ai-sdk/provider-utils/4.0.66 runtime/browser",
    }
    asked: dict[str, Any] = {"temperature": 0.3, "messages": [SAID]}
    whole = host.ask("POST", "/chat/completions", {"model": "quick", **asked}, page)
    assert whole.json["choices"][0]["message"]["content"] == ANSWER
    streaming = {"stream": True, "stream_options": {"include_usage": True}}
    tools = {"tools": [TOOL], "tool_choice": "auto"}
    body = {"model": "caller", **asked, **tools, **streaming}
    found = events(host.ask("POST", "/chat/completions", body, page))
    calls = [
        call
        for event in found
        for choice in event["choices"]
        for call in choice["delta"].get("tool_calls") or ()
    ]
    assert calls[0]["id"]
    assert calls[0]["function"]["name"] == "look"
    assert json.loads("".join(call["function"]["arguments"] for call in calls))
    unknown = host.ask("POST", "/chat/completions", {"model": "none", **asked}, page)
    assert unknown.status == 404
    assert "'none'" in unknown.json["error"]["message"]


SITE = "https://a-jupyterlite.example"


def test_jupyterlite_may_be_let_in(tmp_path: Path) -> None:
    ask = {
        "Origin": SITE,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,user-agent",
    }
    with InJupyter(tmp_path, f"--ServerApp.allow_origin={SITE}") as host:
        first = host.ask("OPTIONS", "/chat/completions", headers=ask)
        assert first.status < 300
        assert first.headers["Access-Control-Allow-Origin"] == SITE
        assert "user-agent" in first.headers["Access-Control-Allow-Headers"]
        answer = host.ask("GET", "/models", headers={**host.headers, "Origin": SITE})
        assert answer.headers["Access-Control-Allow-Origin"] == SITE


# Continue -----------------------------------------------------------------------------------------


def test_continue(host: Host, server: StreamingServer) -> None:
    (block,) = blocks("Continue", "yaml", host)
    (model,) = yaml.safe_load(block)["models"]
    assert model["apiBase"] == address(host) + "/"  # a path is put to it as a browser would
    key = model["apiKey"]
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}", "api-key": key}
    listed = host.ask("GET", "/models", headers=headers)
    assert model["model"] in [one["id"] for one in listed.json["data"]]
    picture = {"url": "data:image/png;base64,iVBORw0KGgo=", "detail": "low"}
    seen = [{"type": "text", "text": "See."}, {"type": "image_url", "image_url": picture}]
    body = {
        "messages": [{"role": "system", "content": " "}, {"role": "user", "content": seen}],
        "model": "quick",
        "max_tokens": 4096,
        "stream": True,
        "stop": ["<|im_end|>", "<|endoftext|>"],
        "tools": [TOOL],
        "parallel_tool_calls": False,
    }
    assert text(host.ask("POST", "/chat/completions", body, headers)) == ANSWER
    assert len(server.journal()[-1].body["messages"][1]["content"]) == 2
    filling = {
        "model": "quick",
        "prompt": "<|fim_prefix|>def add(a, b):\n<|fim_suffix|>\n<|fim_middle|>",
        "max_tokens": 256,
        "temperature": 0.01,
        "stop": ["<|fim_prefix|>", "<|fim_suffix|>", "\n\n"],
        "stream": True,
    }
    for body in (filling, {**filling, "prompt": "def add(a, b):\n", "suffix": "\nadd(1, 2)"}):
        chunks = events(host.ask("POST", "/completions", body, headers))
        assert "".join(chunk["choices"][0]["text"] for chunk in chunks).strip() == ANSWER.strip()


# aider --------------------------------------------------------------------------------------------


def test_aider(host: Host) -> None:
    (block,) = blocks("aider", "sh", host)
    found = re.fullmatch(
        r"export OPENAI_API_BASE=(\S+)\nexport OPENAI_API_KEY=(\S+)\naider --model openai/(\S+)\n",
        block,
    )
    assert found is not None
    assert found[1] == address(host)
    headers = {
        "Authorization": f"Bearer {found[2]}",
        "Content-Type": "application/json",
        "User-Agent": "OpenAI/Python 2.54.0",
        "X-Stainless-Lang": "python",
        "X-Stainless-Raw-Response": "true",
    }
    files = "Here are files:\n\n```\na.py\n```\n"
    talk = [
        {"role": "system", "content": "Act as an expert software developer."},
        {"role": "user", "content": files},
        {"role": "assistant", "content": "Ok."},
        SAID,
    ]
    body = {"model": "quick", "messages": talk, "temperature": 0, "stream": True}
    assert text(host.ask("POST", "/chat/completions", body, headers)) == ANSWER
    whole = host.ask("POST", "/chat/completions", {**body, "stream": False}, headers)
    assert whole.json["usage"]["completion_tokens"] == 3
    real = {**body, "model": found[3], "messages": [{"role": "user", "content": "What is 7 + 5?"}]}
    assert "12" in text(host.ask("POST", "/chat/completions", real, headers))
    unknown = host.ask("POST", "/chat/completions", {**body, "model": "none"}, headers)
    assert unknown.json["error"]["code"] == "model_not_found"


def test_the_page_names_all_that_are_tried() -> None:
    headings = re.findall(r"^## (.*)$", PAGE.read_text("utf-8"), re.MULTILINE)
    tried = {"JupyterLite AI", "Jan", "Continue", "aider", "curl", "openai", "anthropic", "llm"}
    heavy = {"LiteLLM", "LangChain", "LlamaIndex", "Jupyter AI", "Notebook Intelligence"}
    assert {*headings} == tried | heavy | {"The address and the key"}
