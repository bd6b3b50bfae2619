"""Text at the cursor while somebody types, in the oldest and the newest JupyterLab."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from jan_jupyter.compare.comparison import runs
from jan_jupyter.workspace import Workspace
from support.jan import add_model
from support.server import Entry, StreamingServer, tokens

from . import axe
from .conftest import Lab, Notebook

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Request, Route

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
pytestmark = pytest.mark.slow

MODELS = {
    "ghost": "n=8",
    "second": "n=3,foreign",
    "slow": "n=2000,delay=0.02",
    "refused": "status=401",
}
WHOLE = "".join(tokens(8)).strip()
SOME = "".join(tokens(3)).strip()
SOURCE = (
    "n => [...jupyterapp.shell.widgets('main')].find(w => w.content?.widgets && w.isVisible)"
    ".content.widgets[n].model.sharedModel.getSource()"
)


@pytest.fixture
def page(any_page: Page) -> Page:
    """The oldest JupyterLab has errors of its own."""
    return any_page


@pytest.fixture(autouse=True)
def behaviours(server: StreamingServer) -> None:
    for name, behaviour in MODELS.items():
        server.behave(name, behaviour)


class Typing:
    """Somebody who types into a notebook."""

    def __init__(
        self, page: Page, lab: Lab, *cells: str, view: str = "doc/tree", **settings: Any
    ) -> None:
        folder = lab.folder / "settings" / "jan-jupyter"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "completion.jupyterlab-settings").write_text(json.dumps(settings))
        lab.write("typing.ipynb", *(cells or ("",)))
        self.lab = lab
        self.page = page
        self.notebook = Notebook(page, lab, "typing.ipynb", view)
        self.last = max(len(cells), 1) - 1

    def type(self, text: str, cell: int | None = None) -> None:
        self.focus(cell)
        self.page.keyboard.type(text)

    def focus(self, cell: int | None = None) -> None:
        number = self.last if cell is None else cell
        self.notebook.cell(number).locator(".cm-content").click()
        self.page.keyboard.press("Control+End")

    def source(self, cell: int | None = None) -> str:
        return str(self.page.evaluate(SOURCE, self.last if cell is None else cell))

    @property
    def ghost(self) -> Locator:
        return self.page.locator(
            ".jp-GhostText:not(.jp-GhostText-lineSpacer):not(.jp-GhostText-letterSpacer)"
        )

    @property
    def spoken(self) -> Locator:
        """What is said to those who hear the page."""
        return self.page.locator("[role=status].jan-completion-spoken")

    @property
    def status(self) -> Locator:
        return self.page.locator(".jan-completion-status button")

    @property
    def settings(self) -> dict[str, Any]:
        file = self.lab.folder / "settings" / "jan-jupyter" / "completion.jupyterlab-settings"
        text = re.sub(r"^\s*//.*$", "", file.read_text("utf-8"), flags=re.MULTILINE)
        found = json.loads(re.sub(r",(\s*})", r"\1", text))
        assert isinstance(found, dict)
        return found


def asked(server: StreamingServer, model: str = "") -> list[Entry]:
    """The requests for an answer so far, the oldest first."""
    chats = [one for one in server.journal() if one.path.endswith("/chat/completions")]
    return [one for one in chats if not model or one.body["model"] == model]


def prompt(entry: Entry) -> str:
    return str(entry.body["messages"][-1]["content"])


def counts(request: Request, model: str) -> bool:
    """Whether it tells the server that a model's text was taken."""
    if "completions/taken" not in request.url:
        return False
    told = json.loads(request.post_data or "")["models"]
    return any(one["model"] == model and one["taken"] for one in told)


@pytest.mark.parametrize("view", ["doc/tree", "notebooks"])
def test_a_text_grows_and_is_taken_by_word_and_whole(
    each_lab: Lab, page: Page, server: StreamingServer, view: str
) -> None:
    server.behave("ghost", "n=8,hold=3")
    typing = Typing(page, each_lab, "import math", "", view=view, model="ghost")
    typing.type("x = ")
    expect(typing.ghost).to_have_text(SOME)
    expect(typing.spoken).to_have_text("")  # not each piece
    server.behave("ghost", "n=8")
    expect(typing.ghost).to_have_text(WHOLE)
    expect(typing.spoken).to_have_text(f"Offered: {WHOLE}")
    page.keyboard.press("Control+ArrowRight")
    assert typing.source() == "x = the"
    page.keyboard.press("Control+ArrowRight")
    assert typing.source() == "x = the **"
    expect(typing.ghost).to_have_text(WHOLE.removeprefix("the **"))
    (entry,) = asked(server)  # what it has said already is not asked for again
    assert prompt(entry).endswith("import math\n\n\nx = ")
    expect(typing.spoken).to_have_text(f"Offered: {WHOLE}")  # and not again what is left
    server.behave("ghost", "stall=0")  # JupyterLab asks again behind what was taken
    page.keyboard.press("Tab")
    assert typing.source() == f"x = {WHOLE}"
    expect(typing.spoken).to_have_text("")


def test_typing_on_stops_the_model_at_once(
    each_lab: Lab, page: Page, server: StreamingServer
) -> None:
    typing = Typing(page, each_lab, model="slow")
    typing.type("x = ")
    expect(typing.ghost).to_contain_text(SOME)
    page.keyboard.type("1")
    server.wait("closed")
    expect(typing.ghost).to_contain_text(SOME)  # of the next one
    page.keyboard.type("2345", delay=20)  # all of which are one more
    server.wait("closed", count=2)
    expect(typing.ghost).to_contain_text(SOME)
    page.keyboard.press("Escape")
    server.wait("closed", count=3)
    expect(typing.ghost).to_have_count(0)
    entries = asked(server)
    assert [prompt(one).rpartition("x = ")[2] for one in entries] == ["", "1", "12345"]
    for one, following in itertools.pairwise(entries):
        assert one.closed is not None
        assert one.closed <= following.received  # never two at once


def test_typing_what_is_offered_keeps_it(
    each_lab: Lab, page: Page, server: StreamingServer
) -> None:
    server.behave("ghost", "n=8,hold=3")
    typing = Typing(page, each_lab, model="ghost")
    typing.type("x = ")
    expect(typing.ghost).to_have_text(SOME)
    page.keyboard.type("the *")
    expect(typing.ghost).to_have_text(SOME.removeprefix("the *"))
    server.behave("ghost", "n=8")
    expect(typing.ghost).to_have_text(WHOLE.removeprefix("the *"))
    page.keyboard.press("Tab")
    assert typing.source() == f"x = {WHOLE}"
    assert asked(server)[0].complete


def test_two_models_are_offered_in_turn_and_counted(
    each_lab: Lab, page: Page, server: StreamingServer
) -> None:
    typing = Typing(page, each_lab, model="ghost", secondModel="second")
    texts = {"ghost": WHOLE, "second": "".join(tokens(3, foreign=True)).strip()}
    typing.type("x = ")
    counter = page.locator(".jp-InlineCompleter")
    expect(counter).to_contain_text("1/2")
    expect(typing.ghost).to_have_text(re.compile("|".join(map(re.escape, texts.values()))))
    first = next(name for name, text in texts.items() if text == typing.ghost.inner_text())
    other = "second" if first == "ghost" else "ghost"
    expect(counter.locator(f"[title='Provider: {first}']")).to_have_count(1)
    page.keyboard.press("Alt+]")
    expect(typing.ghost).to_have_text(texts[other])
    expect(typing.spoken).to_have_text(f"{other} offers: {texts[other]}")
    expect(counter.locator(f"[title='Provider: {other}']")).to_have_count(1)
    with page.expect_response(lambda answer: counts(answer.request, other)) as told:
        page.keyboard.press("Tab")
        assert typing.source() == f"x = {texts[other]}"
        page.keyboard.press("Escape")
    assert told.value.ok
    sent = json.loads(told.value.request.post_data or "")["models"]
    words = {value for one in sent for value in one.values() if isinstance(value, str)}
    assert words <= {*texts}  # and nothing of what was typed or offered
    counted = runs(Workspace(each_lab.data_folder))["completions"]
    kept = {one.model: one for one in counted.models}
    assert (kept[first].shown, kept[first].taken) >= (1, 0)
    assert (kept[other].shown, kept[other].taken) >= (1, 1)
    assert kept[other].characters >= len(texts[other])
    (pair,) = counted.preferences()
    assert pair.models == ("ghost", "second")
    assert pair.taken[pair.models.index(other)] == 1


def test_nothing_is_asked_before_a_model_is_chosen(
    lab: Lab, page: Page, server: StreamingServer
) -> None:
    typing = Typing(page, lab)
    typing.type("nobody = 1")
    expect(typing.status).to_have_text("Completion: off")
    typing.status.press("Enter")
    dialog = page.get_by_role("dialog")
    model = dialog.get_by_role("combobox", name="Model", exact=True)
    expect(model).to_be_focused()
    assert axe.faults(page, ".jp-Dialog") == []
    model.select_option("ghost")
    dialog.get_by_role("combobox", name="Second model, to compare it with").select_option("second")
    dialog.get_by_role("button", name="Choose").click()
    expect(typing.status).to_have_text("Completion: ghost, second")
    assert (typing.settings["model"], typing.settings["secondModel"]) == ("ghost", "second")
    typing.type("\nsomebody = ")
    expect(typing.ghost).to_have_count(1)
    assert all(prompt(one).endswith("somebody = ") for one in asked(server))
    typing.status.click()
    dialog.get_by_role("combobox", name="Model", exact=True).select_option("")
    dialog.get_by_role("combobox", name="Second model, to compare it with").select_option("")
    dialog.get_by_role("button", name="Choose").click()
    expect(typing.status).to_have_text("Completion: off")


@pytest.fixture
def elsewhere(page: Page) -> Callable[[str], None]:
    """Have a page think that a model runs on another machine."""

    def move(name: str) -> None:
        def answer(route: Route) -> None:
            told = route.fetch()
            listed = told.json()
            for one in listed["data"]:
                if one["id"] == name:
                    one.update(local=False, host="llm.example.org")
            route.fulfill(response=told, json=listed)

        page.route(re.compile(r"/jan/v1/models\?details"), answer)

    return move


def test_code_goes_to_another_machine_after_a_yes_and_no_key_does(
    lab: Lab, page: Page, server: StreamingServer, elsewhere: Callable[[str], None]
) -> None:
    elsewhere("ghost")
    typing = Typing(page, lab, "api_key = 'abcd1234efgh5678'", "one = 1", "", model="ghost")
    typing.type("x = ")
    expect(typing.status).to_have_attribute("title", re.compile("llm.example.org.*said yes"))
    assert asked(server) == []
    typing.status.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Choose").click()
    expect(dialog).to_contain_text("Send your code to llm.example.org?")
    dialog.get_by_role("button", name="Send it").click()
    expect(typing.status).to_have_text("Completion: ghost")
    typing.type("2 + ")
    expect(typing.ghost).to_have_count(1)
    (entry,) = asked(server)
    assert prompt(entry).endswith("one = 1\n\n\nx = 2 + ")
    assert typing.settings["agreedHosts"] == ["llm.example.org"]
    assert "abcd1234" not in prompt(entry)
    typing.type("\nb = ", 0)
    expect(typing.status).to_have_attribute("title", re.compile("This cell holds a key"))
    typing.type("y = ", 1)
    expect(typing.ghost).to_have_count(1)
    assert not [one for one in asked(server) if "abcd1234" in prompt(one)]


def test_what_goes_wrong_is_told_and_nobody_is_disturbed(
    lab: Lab, page: Page, server: StreamingServer
) -> None:
    typing = Typing(page, lab, model="refused", secondModel="gone")
    typing.type("x = ")
    expect(typing.status).to_have_text("⚠ Completion: refused, gone")
    expect(typing.ghost).to_have_count(0)
    page.keyboard.press("Tab")  # does what it does without us
    typing.type("1")
    assert typing.source().startswith("x = ")
    assert len(asked(server)) == 1


def test_text_and_prompts_for_models_are_left_alone_unless_wanted(
    lab: Lab, page: Page, server: StreamingServer
) -> None:
    typing = Typing(page, lab, "%%jan ghost\nhello", "", model="ghost", delay=0)
    typing.type(" and", 0)
    page.wait_for_timeout(1000)  # longer than a text that is wanted takes to be asked for
    typing.type("x = ", 1)
    expect(typing.ghost).to_have_count(1)
    assert all(re.search(r"x( (= ?)?)?$", prompt(one)) for one in asked(server))
    server.clear()
    page.keyboard.press("Escape")
    wanted = Typing(page, lab, "%%jan ghost\nhello", "", model="ghost", prose=True)
    wanted.type(" and", 0)
    expect(wanted.ghost).to_have_count(1)
    assert prompt(asked(server)[-1]).endswith("hello and")


def test_within_a_line_the_brackets_that_are_there_are_not_offered_again(
    lab: Lab, page: Page, server: StreamingServer
) -> None:
    typing = Typing(page, lab, model="ghost")
    typing.type("print()\nx = 1")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    page.keyboard.type("a")
    expect(typing.ghost).to_have_text(WHOLE)
    page.keyboard.press("Tab")
    assert typing.source() == f"print(a{WHOLE})\nx = 1"
    (entry,) = asked(server)
    assert "<|after|>\n)\nx = 1\n" in prompt(entry)


def test_the_bundled_model_completes_code(each_lab: Lab, page: Page) -> None:
    typing = Typing(page, each_lab, "def add(a, b):\n    return a + b", "", model="jan-mini")
    typing.type("def double(a):\n    return ")
    expect(typing.ghost).to_have_text(re.compile(r"\S"), timeout=60_000)
    before = typing.source()
    page.keyboard.press("Control+ArrowDown")
    assert len(typing.source()) > len(before)
    assert typing.source().startswith(before)


def test_what_a_model_offers_is_text_only(lab: Lab, page: Page, server: StreamingServer) -> None:
    add_model(lab.data_folder, "attacker", engine="openai")
    server.behave("attacker", "verbatim")
    attack = "<img src=x onerror=window.pwned=1><script>window.pwned=1</script>"
    typing = Typing(page, lab, "", model="attacker")
    page.route(
        re.compile(r"/jan/v1/completions\?"),
        lambda route: route.fulfill(
            content_type="text/event-stream",
            body=f"data: {json.dumps({'choices': [{'text': attack}]})}\n\ndata: [DONE]\n\n",
        ),
    )
    typing.type("x = ")
    expect(typing.ghost).to_have_text(attack)
    page.keyboard.press("Tab")
    assert typing.source() == f"x = {attack}"
    assert page.evaluate("window.pwned") is None
    assert page.locator(".jp-Notebook img, .jp-Notebook script").count() == 0
