"""Jupyter AI in a real JupyterLab: our persona answers in its chat, and agents get our tools."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from jan_jupyter.agents import TOOLS
from lab.conftest import TOKEN, Lab
from peers.process import environment_of
from support.jan import KEY, add_remote
from support.server import StreamingServer, tokens

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.slow, pytest.mark.jupyterai, pytest.mark.timeout(300)]

PERSONA = "jupyter-ai-personas::jan_jupyter::JanPersona"
PATIENCE = 60_000
"""Milliseconds."""
CALLS = """
import asyncio, json, sys
from fastmcp import Client

async def main(url, calls):
    async with Client(url) as client:
        found = [{tool.name: tool.description for tool in await client.list_tools()}]
        for name, arguments in calls:
            answer = await client.call_tool(name, arguments, raise_on_error=False)
            found.append([answer.is_error, answer.content[0].text])
        print(json.dumps(found))

asyncio.run(main(sys.argv[1], json.loads(sys.argv[2])))
"""


class JupyterAI(Lab):
    """A JupyterLab with Jupyter AI."""

    def __init__(self, folder: Path, **more: str | int) -> None:
        self.python = str(environment_of("jupyterai") / "bin" / "python")
        more |= {"MCPExtensionApp.mcp_port": 0, "FASTMCP_CHECK_FOR_UPDATES": "off"}
        super().__init__(folder, python=self.python, variables=more)

    def agent(self, *calls: tuple[str, dict[str, Any]]) -> list[Any]:
        """What an agent finds: all tools, and of each call whether it failed, and what came."""
        done = subprocess.run(
            [self.python, "-c", CALLS, self._tools_url(), json.dumps(calls)],
            capture_output=True,
            text=True,
            check=True,
        )
        found: list[Any] = json.loads(done.stdout)
        return found

    def _tools_url(self) -> str:
        """Where jupyter-server-mcp serves them, without a login."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            for path in (self.folder / "jupyter" / "run").glob("jpserver-mcp-*.json"):
                return str(json.loads(path.read_text())["url"])
            time.sleep(0.1)
        raise TimeoutError((self.folder / "lab.log").read_text()[-3000:])


class Talk:
    """A chat that is open in the browser."""

    def __init__(self, page: Page, lab: Lab, name: str) -> None:
        self.page, self.path = page, lab.folder / name
        self.path.write_text("{}")
        page.goto(lab.url(f"lab/workspaces/{self.path.stem}/tree/{name}"))  # no other chat is open
        page.locator(".jp-Spinner").first.wait_for(state="detached", timeout=PATIENCE)
        # No other persona is installed: it is chosen, and so its picker fills.
        self.picker = page.locator("button[title=Model]:visible")
        self.picker.wait_for(timeout=PATIENCE)

    def pick(self, model: str) -> None:
        self.picker.click()
        self.page.locator(".jp-jai-controlMenu-paper").get_by_text(model, exact=True).click()
        self.picker.filter(has_text=model).wait_for(timeout=PATIENCE)

    def ask(self, text: str) -> None:
        self.page.locator("textarea:visible").first.fill(text)
        self.page.keyboard.press("Enter")

    def shows(self, text: str) -> Locator:
        """A message that has it, as soon as there is one."""
        found = self.page.locator(".jp-chat-rendered-message", has_text=text).last
        found.wait_for(timeout=PATIENCE)
        return found

    @property
    def stop(self) -> Locator:
        return self.page.locator(".jp-jai-stopButton:not(.Mui-disabled)")

    def messages(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.path.read_text())["messages"]
        return found


@pytest.fixture(scope="module")
def jupyter_ai(
    tmp_path_factory: pytest.TempPathFactory, _streaming_server: StreamingServer
) -> Iterator[JupyterAI]:
    lab = JupyterAI(tmp_path_factory.mktemp("jupyter-ai"), JAN_AGENT_TOOLS=1)
    add_remote(lab.data_folder, _streaming_server, endless="", quick="", refused="", echo="")
    yield lab
    lab.close()


@pytest.fixture
def behaving(server: StreamingServer) -> StreamingServer:
    server.behave("endless", "n=100000,delay=0.02")
    server.behave("quick", "n=20")
    server.behave("refused", "error=invalid_api_key,leak")
    server.behave("echo", "echo")
    return server


@pytest.fixture
def chat(tab: Page, jupyter_ai: JupyterAI, request: pytest.FixtureRequest) -> Talk:
    return Talk(tab, jupyter_ai, f"{request.node.name}.chat")


def test_the_persona_streams_and_is_stopped(chat: Talk, behaving: StreamingServer) -> None:
    chat.pick("endless")
    chat.ask("Why is the sky blue?")
    first = chat.shows("bold")
    chat.stop.wait_for(timeout=PATIENCE)
    length = len(first.inner_text())
    chat.page.wait_for_function(
        "n => [...document.querySelectorAll('.jp-chat-rendered-message')].at(-1).innerText.length"
        " > n + 40",
        arg=length,
        timeout=PATIENCE,
    )
    chat.stop.click()
    behaving.wait("closed")
    chat.shows("endless · stopped")

    chat.pick("quick")  # goes on from there, with another model
    chat.ask("And at night?")
    chat.shows("quick · 20 tokens")
    asked = behaving.journal()[-1].body
    assert asked["model"] == "quick"
    question, answer, follow = asked["messages"]
    assert question == {"role": "user", "content": "Why is the sky blue?"}
    assert answer["content"].startswith("".join(tokens(5)))
    assert "stopped" not in answer["content"]
    assert follow == {"role": "user", "content": "And at night?"}
    assert chat.messages()[-1]["metadata"]["jan"]["text"] == "".join(tokens(20))


def test_what_goes_wrong_is_one_line(chat: Talk, behaving: StreamingServer) -> None:
    chat.pick("refused")
    chat.ask("Why?")
    said = chat.shows("refused the key for refused (HTTP 401").inner_text()
    assert "Traceback" not in said
    assert KEY not in chat.path.read_text()
    chat.pick("quick")
    chat.ask("Still there?")
    chat.shows("quick · 20 tokens")


def test_what_a_model_says_is_made_harmless(
    chat: Talk, behaving: StreamingServer, expected: list[str]
) -> None:
    expected.append("http://127.0.0.1:9/")  # Jupyter AI shows what a person has typed as it is
    chat.pick("echo")
    chat.ask("![x](http://127.0.0.1:9/x.png) <img src=http://127.0.0.1:9/y.png> now")
    answer = chat.shows("echo ·")
    assert "image: x" in answer.inner_text()
    assert answer.locator("img").count() == 0


def test_other_programs_reach_it(jupyter_ai: JupyterAI, behaving: StreamingServer) -> None:
    """By Jupyter AI's own route, which takes one question and gives the answer."""
    body = {"message": "Why?", "metadata": {"model": {"id": "quick"}}}
    request = urllib.request.Request(
        jupyter_ai.url("api/ai/message/Jan"),
        json.dumps(body).encode(),
        {"Authorization": f"token {TOKEN}"},
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        answer = json.load(response)["response"]
    assert "quick · 20 tokens" in answer


def test_agents_get_the_tools(jupyter_ai: JupyterAI, behaving: StreamingServer) -> None:
    found, models, answer, compared, unknown, refused = jupyter_ai.agent(
        ("jan_models", {}),
        ("jan_ask", {"question": "Why?", "model": "quick"}),
        ("jan_compare", {"prompts": ["Why?"], "models": ["quick", "echo"]}),
        ("jan_ask", {"question": "Why?", "model": "nobody"}),
        ("jan_ask", {"question": "Why?", "model": "refused"}),
    )
    assert found.keys() >= {*TOOLS}
    assert "Ask a language model" in found["jan_ask"]
    assert not models[0]
    assert {"quick", "echo", "jan-mini"} <= {model["id"] for model in json.loads(models[1])}
    assert json.loads(answer[1])["answer"] == "".join(tokens(20))
    rows = json.loads(compared[1])["answers"]
    assert {row["model"]: row["answer"] for row in rows}["echo"] == '"Why?"'
    assert unknown[0]
    assert refused[0]
    assert "There is no model 'nobody'" in unknown[1]
    assert "refused the key" in refused[1]
    assert "\n" not in unknown[1] + refused[1]
    assert KEY not in json.dumps([models, answer, compared, refused])


def test_agents_get_none_by_default(tmp_path: Path) -> None:
    lab = JupyterAI(tmp_path)
    try:
        (found,) = lab.agent()
    finally:
        lab.close()
    assert found
    assert not found.keys() & {*TOOLS}
