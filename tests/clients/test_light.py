"""Clients that are small: the page's blocks, and what people do with them, at both servers."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from support.environment import isolated_environment
from support.hosts import Alone, Host, InJupyter
from support.server import StreamingServer

from .conftest import ANSWER, MODELS, address, blocks

HI: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Why?"}]
PICTURE = "data:image/png;base64,iVBORw0KGgo="
SCHEMA: dict[str, object] = {"type": "object", "properties": {"query": {"type": "string"}}}


def execute(block: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What a block of the page prints."""
    names: dict[str, Any] = {}
    exec(block, names)
    names["client"].close()
    return capsys.readouterr().out


# The address and the key --------------------------------------------------------------------------


def test_the_address_and_the_key_are_told(tmp_path: Path) -> None:
    with Alone(tmp_path, key="") as host:
        shown = re.compile(r"^Key, kept in \S+/serve/key and shown only now: (\S+)$")
        host.key = host.wait_for(shown.search)[1]
        told = host.wait_for(re.compile(r"Listening at (\S+) \(Ctrl-C ends it\)").search)[1]
        with openai.OpenAI(base_url=told, api_key=host.key) as client:
            assert "jan-mini" in [model.id for model in client.models.list()]


def test_jupyter_tells_its_own(host: Host) -> None:
    if not isinstance(host, InJupyter):
        pytest.skip("this is what Jupyter tells")
    code = "import sys; sys.argv = ['jupyter-server', 'list']\n"
    code += "from jupyter_server.serverapp import main; main()"
    env = isolated_environment(host.folder)
    shown = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    )
    assert re.search(rf"http://\S+:{host.port}/\?token={host.key} ", shown.stdout), shown


# curl ---------------------------------------------------------------------------------------------


def test_curl(host: Host) -> None:
    if shutil.which("curl") is None or shutil.which("sh") is None:
        pytest.skip("needs curl and a shell")
    (block,) = blocks("curl", "sh", host)
    unknown = block.replace('"jan-mini"', '"no-such-model"')
    streamed = block.replace('"messages"', '"stream": true, "messages"').replace("curl", "curl -N")
    said = []
    for script in (block, streamed, unknown):
        done = subprocess.run(
            ["sh", "-ec", script], capture_output=True, text=True, check=True, env=os.environ
        )
        listed, end = json.JSONDecoder().raw_decode(done.stdout)
        assert {*MODELS, "jan-mini"} <= {model["id"] for model in listed["data"]}
        said.append(done.stdout[end:])
    assert "12" in json.loads(said[0])["choices"][0]["message"]["content"]
    assert said[1].rstrip().endswith("data: [DONE]")
    assert "no-such-model" in json.loads(said[2])["error"]["message"]


# openai -------------------------------------------------------------------------------------------


@pytest.fixture
def client(host: Host) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=address(host), api_key=host.key, max_retries=0) as client:
        yield client


def test_openai(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = blocks("openai", "python", host)
    assert "12" in execute(block, capsys)


def test_openai_by_its_variables(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", address(host))
    monkeypatch.setenv("OPENAI_API_KEY", host.key)
    with openai.OpenAI() as client:
        assert client.models.retrieve("quick").id == "quick"


def test_openai_lists_streams_and_counts(client: openai.OpenAI) -> None:
    assert {*MODELS, "jan-mini"} <= {model.id for model in client.models.list()}
    whole = client.chat.completions.create(model="quick", messages=HI)
    assert whole.choices[0].message.content == ANSWER
    stream = client.chat.completions.create(
        model="quick", messages=HI, stream=True, stream_options={"include_usage": True}
    )
    chunks = [*stream]
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == ANSWER
    assert chunks[-1].usage == whole.usage is not None
    with client.responses.stream(model="quick", input="Why?", store=False) as events:
        assert events.get_final_response().output_text == ANSWER
    assert client.completions.create(model="quick", prompt="a").choices[0].text.strip()
    assert client.embeddings.create(model="jan-mini", input="a").data[0].embedding


def test_openai_calls_functions_and_shows_pictures(
    client: openai.OpenAI, server: StreamingServer
) -> None:
    called = client.chat.completions.create(
        model="caller",
        messages=HI,
        tools=[{"type": "function", "function": {"name": "look", "parameters": SCHEMA}}],
    )
    calls = called.choices[0].message.tool_calls
    assert calls
    (call,) = calls
    assert call.type == "function"
    assert json.loads(call.function.arguments)
    picture = [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": PICTURE, "detail": "low"}},
    ]
    client.chat.completions.create(
        model="quick",
        messages=[{"role": "user", "content": picture}],  # type: ignore[misc, list-item]
    )
    sent = server.journal()[-1].body["messages"][0]["content"]
    assert [part["type"] for part in sent] == ["text", "image_url"]


def test_openai_says_what_is_wrong(client: openai.OpenAI) -> None:
    for more in ({}, {"stream": True}):
        with pytest.raises(openai.NotFoundError, match="no-such-model") as unknown:
            client.chat.completions.create(model="no-such-model", messages=HI, **more)  # type: ignore[call-overload]
        assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.APIError, match="cut off"):
        for _ in client.chat.completions.create(model="cut", messages=HI, stream=True):
            pass


def test_a_wrong_key_is_called_that(host: Host) -> None:
    with openai.OpenAI(base_url=address(host), api_key="sk-wrong", max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError, match=r"key|token") as refused:
            client.chat.completions.create(model="quick", messages=HI)
        with pytest.raises(openai.AuthenticationError):
            client.models.list()
    assert refused.value.code == "invalid_api_key"
    base = address(host).removesuffix("/v1")
    with (
        anthropic.Anthropic(base_url=base, api_key="sk-wrong", max_retries=0) as claude,
        pytest.raises(anthropic.AuthenticationError, match=r"key|token"),
    ):
        claude.messages.count_tokens(model="quick", messages=[{"role": "user", "content": "Why?"}])


# anthropic ----------------------------------------------------------------------------------------


def test_anthropic(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = blocks("anthropic", "python", host)
    assert "12" in execute(block, capsys)


@pytest.fixture
def claude(host: Host) -> Iterator[anthropic.Anthropic]:
    base = address(host).removesuffix("/v1")
    with anthropic.Anthropic(base_url=base, api_key=host.key, max_retries=0) as client:
        yield client


def test_anthropic_lists_streams_and_calls(claude: anthropic.Anthropic) -> None:
    assert {*MODELS, "jan-mini"} <= {model.id for model in claude.models.list()}
    asked: Any = {"max_tokens": 50, "messages": [{"role": "user", "content": "Why?"}]}
    with claude.messages.stream(model="thinker", **asked) as stream:
        assert "".join(stream.text_stream)
        assert [block.type for block in stream.get_final_message().content] == ["thinking", "text"]
    tool: Any = {"name": "look", "input_schema": SCHEMA}
    called = claude.messages.create(model="caller", tools=[tool], **asked)
    assert [block.type for block in called.content] == ["tool_use"]
    assert claude.messages.count_tokens(model="jan-mini", messages=asked["messages"]).input_tokens


def test_anthropic_says_what_is_wrong(claude: anthropic.Anthropic) -> None:
    asked: Any = {"max_tokens": 50, "messages": [{"role": "user", "content": "Why?"}]}
    with pytest.raises(anthropic.NotFoundError, match="no-such-model"):
        claude.messages.create(model="no-such-model", **asked)


# llm ----------------------------------------------------------------------------------------------

LLM = """
import json, sys
from click.testing import CliRunner
from llm.cli import cli
said = [CliRunner().invoke(cli, command) for command in json.loads(sys.stdin.read())]
print(json.dumps([[one.exit_code, one.output] for one in said]))
"""


def llm(folder: Path, yaml: str, *commands: str) -> list[Any]:
    """What `llm` prints, each with its exit code; all in one process."""
    import shlex

    home = folder / "llm"
    home.mkdir(exist_ok=True)
    (home / "extra-openai-models.yaml").write_text(yaml, "utf-8")
    env: Mapping[str, str] = {**isolated_environment(folder), "LLM_USER_PATH": str(home)}
    words = [shlex.split(command)[1:] for command in commands]
    command = [sys.executable, "-c", LLM]
    done = subprocess.run(command, input=json.dumps(words), env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told: list[Any] = json.loads(done.stdout)
    return told


def test_llm(host: Host, tmp_path: Path, server: StreamingServer) -> None:
    (yaml,) = blocks("llm", "yaml", host)
    (script,) = blocks("llm", "sh", host)
    others = [yaml.replace("jan-mini", name) for name in ("quick", "caller", "no-such-model")]
    keys, answer, listed, folder, whole, shaped, called, unknown = llm(
        tmp_path,
        "".join([yaml, *others]),
        *script.strip().splitlines(),
        "llm models list",
        "llm logs path",
        "llm -m jan/quick --no-stream Why?",
        "llm -m jan/jan-mini --schema 'capital str' 'What is the capital of Italy?'",
        "llm -m jan/caller --chain-limit 1 --functions 'def look(query: str): return 1' Why?",
        "llm -m jan/no-such-model Why?",
    )
    assert keys == [0, ""]
    assert answer[0] == 0
    assert "12" in answer[1]
    assert "jan/jan-mini" in listed[1]
    assert Path(folder[1].strip()).parent == tmp_path / "llm"
    assert whole == [0, ANSWER + "\n"]
    assert json.loads(shaped[1])["capital"]
    assert "limit" in called[1]  # of the calls: this model always asks for one more
    assert server.journal()[-1].body["tools"][0]["function"]["name"] == "look"
    assert unknown[0] == 1
    assert "no model 'no-such-model'" in unknown[1]
