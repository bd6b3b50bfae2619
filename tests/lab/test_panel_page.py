"""The panel without Jupyter: what it does, what it does not let happen, who can use it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from jan_jupyter import assets
from jan_jupyter.conversation import Conversation, Surroundings
from jan_jupyter.workspace import Workspace
from lab import axe
from lab.attacks import ALLOWED, TEXTS
from lab.bare import Bare
from lab.panel import Panel

if TYPE_CHECKING:
    from playwright.sync_api import Page

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
pytestmark = pytest.mark.slow


class Talk:
    """A page with a real conversation behind it."""

    def __init__(self, page: Page, model: str = "jan-mini") -> None:
        self.workspace = Workspace()
        self.router = self.workspace.router
        self.bare: Bare | None = None
        self.conversation = Conversation(Surroundings(self._send), self.workspace, model=model)
        self.bare = Bare(page, self.conversation.take)
        self.panel = Panel(page)

    def _send(self, event: Any) -> None:
        if self.bare is not None:
            self.bare.send(event)

    def close(self) -> None:
        from jan_jupyter import bridge

        self.conversation.close()
        bridge.wait(self.router.unload("jan-mini"))
        bridge.wait(self.router.close())


@pytest.fixture
def talk(tab: Page) -> Iterator[Talk]:
    talk = Talk(tab)
    yield talk
    talk.close()


def test_a_page_with_nothing_but_the_widget(talk: Talk, tab: Page) -> None:
    """By keyboard alone: ask, choose with the arrows, set a value, go to another thread."""
    panel = talk.panel
    panel.box.focus()
    tab.keyboard.type("What is 7 + 5?")
    tab.keyboard.press("Enter")
    panel.find("article.assistant").wait_for()
    panel.wait()
    expect(panel.says).to_contain_text("12")

    tab.keyboard.press("ArrowUp")
    expect(panel.box).to_have_value("What is 7 + 5?")
    tab.keyboard.press("ArrowDown")
    tab.keyboard.type("/se")
    panel.find(".choices li.at", has_text="/set").wait_for()
    tab.keyboard.press("Tab")
    tab.keyboard.type("temperature 0.5")
    tab.keyboard.press("Enter")
    tab.keyboard.press("Tab")  # from the message to the model
    tab.keyboard.press("Enter")
    panel.find(".model-list").wait_for()
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Enter")
    panel.find(".model-list").wait_for(state="detached")

    panel.button("Settings").focus()
    tab.keyboard.press("Enter")
    panel.find(".setting:has(#setting-temperature) .level", has_text="thread").wait_for()
    expect(panel.find("#setting-temperature")).to_have_value("0.5")
    tab.keyboard.press("Escape")
    panel.find(".settings").wait_for(state="detached")
    expect(panel.button("Settings")).to_be_focused()

    panel.button("Threads").focus()
    tab.keyboard.press("Enter")
    panel.find(".threads li.current").wait_for()
    tab.keyboard.press("Escape")
    panel.find(".code, .md").first.wait_for()
    assert talk.bare is not None
    assert talk.bare.requests == []


@pytest.mark.parametrize(("width", "narrow"), [(500, True), (900, False)])
def test_what_is_opened_closes_what_it_would_lie_over(
    talk: Talk, tab: Page, width: int, narrow: bool
) -> None:
    """A side stands beside the conversation where there is room; elsewhere it lies over it."""
    tab.set_viewport_size({"width": width, "height": 700})
    panel = talk.panel
    threads, settings = panel.find(".side.threads"), panel.find(".side.settings")
    models, look, choices = (panel.find(f".{name}") for name in ("model-list", "look", "choices"))

    panel.button("Settings").click()
    expect(settings).to_have_count(1)
    panel.find(".model-button").click()
    expect(models).to_have_count(1)
    expect(settings).to_have_count(0 if narrow else 1)
    panel.button("Look at the exact request").click()
    expect(look).to_have_count(1)
    expect(models).to_have_count(0)
    panel.box.press_sequentially("/")
    expect(choices).to_have_count(1)
    expect(look).to_have_count(0)
    panel.box.press("Escape")
    expect(choices).to_have_count(0)

    panel.button("Threads").click()
    expect(threads).to_have_count(1)
    expect(settings).to_have_count(0)
    panel.box.fill("/model")
    panel.box.press("Enter")
    expect(models).to_have_count(1)
    expect(threads).to_have_count(0 if narrow else 1)
    if not narrow:
        panel.button("Close the threads").click()
    panel.button("Threads").click()
    expect(threads).to_have_count(1)
    expect(models).to_have_count(0)

    tab.evaluate(AT_ONCE)
    expect(panel.box).to_have_value("")
    expect(models).to_have_count(1)


AT_ONCE = """async () => {
    const box = document.querySelector("jan-chat").shadowRoot.querySelector(".composer > textarea");
    box.value = "/model";
    box.dispatchEvent(new InputEvent("input", { bubbles: true }));
    for (let i = 0; i < 9; i++) await null;  // drawn, but before the next frame
    box.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(talk: Talk, tab: Page, scheme: Any) -> None:
    tab.emulate_media(color_scheme=scheme)
    panel = talk.panel
    panel.ask_and_wait("What is a model.json?")
    assert axe.faults(tab) == []
    panel.button("Settings").click()
    panel.find(".setting").first.wait_for()
    assert axe.faults(tab) == []
    panel.button("Threads").click()
    panel.find(".threads li").first.wait_for()
    panel.find(".model-button").click()
    panel.find(".model-list").wait_for()
    assert axe.faults(tab) == []


MORE_PANELS = """async (changed) => {
    let text = await (await fetch("./chat.js")).text();
    if (changed) text = text.replace(/jan-jupyter [0-9a-f]+/, changed);
    const address = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    const widget = (await import(address)).default;
    return [1, 2].map((number) => {
        const el = document.body.appendChild(document.createElement("div"));
        const values = { _panel_id: `${changed}${number}`, _place: "p", height: "100px" };
        const model = { get: (name) => values[name], send() {}, on() {}, off() {} };
        widget.initialize({ model });
        widget.render({ model, el });
        return el.firstElementChild.localName;
    });
}"""


def test_panels_of_a_page_share_one_module_and_those_of_another_build_another(
    talk: Talk, tab: Page
) -> None:
    """Each brings its text, as anywidget has it; a kernel that was upgraded brings another."""
    assert tab.evaluate(MORE_PANELS, "") == ["jan-chat", "jan-chat"]
    assert tab.evaluate(MORE_PANELS, "another build") == ["jan-chat-2", "jan-chat-2"]
    assert tab.evaluate(MORE_PANELS, "") == ["jan-chat", "jan-chat"]
    places = tab.locator("xpath=//*[starts-with(local-name(), 'jan-chat')]")
    assert places.count() == 7
    expect(places.locator(".composer")).to_have_count(7)
    talk.panel.ask_and_wait("What is 7 + 5?")
    expect(talk.panel.says).to_contain_text("12")


MOVES = "document.querySelector('jan-chat').shadowRoot.getAnimations().length"


@pytest.mark.parametrize("wanted", ["no-preference", "reduce"])
def test_nothing_moves_for_those_who_do_not_want_it(tab: Page, wanted: Any) -> None:
    tab.emulate_media(reduced_motion=wanted)
    page = Scripted(tab)
    page.bare.send(page.start)  # an answer of which nothing has come yet
    tab.locator("jan-chat .dots").wait_for()
    moves = "true" if wanted == "no-preference" else "false"
    tab.wait_for_function(f"({MOVES} > 0) === {moves}")


PAPER = """() => getComputedStyle(document.querySelector('jan-chat').shadowRoot
.querySelector('.panel')).backgroundColor"""
DARK, LIGHT = "rgb(30, 30, 30)", "rgb(255, 255, 255)"


@pytest.mark.parametrize(
    ("page", "paper"),
    [
        ("", DARK),
        ("document.documentElement.style.colorScheme = 'light'", LIGHT),  # marimo does so
        ("document.body.dataset.vscodeThemeKind = 'vscode-light'", LIGHT),
        ("document.body.dataset.vscodeThemeKind = 'vscode-high-contrast'", DARK),
        ("document.body.dataset.jpThemeLight = 'true'", LIGHT),
    ],
)
def test_it_is_as_dark_as_its_page_whatever_the_system_prefers(
    tab: Page, page: str, paper: str
) -> None:
    tab.emulate_media(color_scheme="dark")
    Scripted(tab)
    tab.evaluate("() => { hide(); " + page + "; show(); }")
    assert tab.evaluate(PAPER) == paper


def test_it_is_read_out_by_the_sentence(tab: Page) -> None:
    page = Scripted(tab)
    tab.evaluate(
        """() => { window.said = [];
        const node = document.querySelector('jan-chat').shadowRoot.querySelector('[aria-live]');
        new MutationObserver(() => window.said.push(node.textContent)).observe(node,
          { childList: true, characterData: true, subtree: true }); }"""
    )
    tab.wait_for_timeout(1000)  # it has just said something
    page.stream("One **bold** sentence. Another one, that is longer", pause=60)
    tab.wait_for_function("said.join(' ').endsWith('longer')")
    said = tab.evaluate("window.said")
    assert said[0] == "One bold sentence."
    assert " ".join(said) == "One bold sentence. Another one, that is longer"


def test_an_answer_of_the_kernel_in_the_first_instant_is_seen(tab: Page) -> None:
    page = Scripted(tab)
    tab.evaluate("(start) => { hide(); show(); give([start]); }", page.start)
    tab.locator("jan-chat .turn").first.wait_for(timeout=5000)


def test_no_word_of_the_kernel_takes_away_what_is_being_typed(tab: Page) -> None:
    """From the instant in which the field is there: whoever has it focused may be a program."""
    page = Scripted(tab)

    def kernel(value: Any, level: str) -> None:
        state = {"settings": [page.setting(value, level)], "instructions": f"{level}'s"}
        tab.evaluate("(state) => give([{ type: 'state', state }])", state)

    def type_at_once(selector: str, text: str) -> None:
        tab.evaluate(
            """async ([selector, text]) => {
            const root = document.querySelector('jan-chat').shadowRoot;
            const button = root.querySelector("[data-opens=settings] button");
            if (button.ariaExpanded === "false") button.click();
            while (!root.querySelector(selector)) await null;  // before the next frame
            const field = root.querySelector(selector);
            field.focus();
            field.setSelectionRange(0, field.value.length);
            document.execCommand("insertText", false, text);
            await new Promise(done => setTimeout(done, 150));
        }""",
            [selector, text],
        )

    kernel(0.8, "model")
    type_at_once("#setting-temperature", "0.3")
    field = page.panel.find("#setting-temperature")
    assert field.input_value() == "0.3"
    kernel(0.5, "engine")  # another model, chosen just before
    tab.wait_for_timeout(100)
    assert field.input_value() == "0.3"
    field.press("Enter")
    page.wait_for({"type": "set", "kind": "parameter", "name": "temperature", "value": 0.3})
    kernel(0.25, "thread")  # as it has been understood
    expect(field).to_have_value("0.25")

    page.panel.button("Close the settings").click()
    type_at_once(".settings textarea", "Rhyme.")
    kernel(0.5, "engine")
    tab.wait_for_timeout(100)
    page.panel.find(".settings textarea").blur()
    page.wait_for({"type": "instructions", "text": "Rhyme."})


def test_a_thread_that_takes_long_to_be_renamed_or_removed(tab: Page) -> None:
    page = Scripted(tab)
    panel = page.panel
    panel.button("Threads").click()
    row = panel.find(".threads li")
    row.hover()
    row.locator("button[aria-label^=Rename]").click()
    panel.find(".title-editor").fill("Striped")
    panel.find(".title-editor").press("Enter")
    page.wait_for({"type": "rename", "id": "t", "title": "Striped"})
    tab.wait_for_timeout(500)  # the kernel is slow
    page.threads[0]["title"] = "Striped"
    page.bare.send({"type": "state", "state": {"threads": 1}})
    row.locator(".title", has_text="Striped").wait_for(timeout=5000)

    row.locator("button[aria-label^=Delete]").click()
    row.locator(".danger").click()
    page.wait_for({"type": "remove", "id": "t"})
    tab.wait_for_timeout(500)
    page.threads.clear()
    page.bare.send({"type": "state", "state": {"threads": 2}})
    panel.find(".threads", has_text="No threads yet.").wait_for(timeout=5000)


def test_two_clicks_before_a_word_of_the_kernel_are_two_more_columns(tab: Page) -> None:
    page = Scripted(tab)
    models = [page.model(name) for name in ("m", "first", "second")]
    models[1] |= {"reasoning": True, "context": 8192}
    page.bare.send({"type": "state", "state": {"models": models}})
    page.panel.find(".model-button").click()
    marks = page.panel.find(".model-row", has_text="first").locator(".marks small")
    expect(marks).to_have_text(["remote", "8k context", "reasoning"])
    for name in ("first", "second"):
        page.panel.button(f"Compare: ask {name} as well").click()
        page.wait_for({"type": "beside", "model": name, "on": True})


class Scripted:
    """A page that is told what its kernel says."""

    STATE: ClassVar = {
        "thread": {"id": "t", "title": "t"},
        "threads": 0,
        "model": "m",
        "models": [],
        "compare": [],
        "columns": [],
        "assistant": "jan",
        "assistants": [],
        "instructions": "",
        "settings": [],
        "reload": False,
        "path": ["q", "a"],
        "sent": "",
        "notice": "",
    }

    def __init__(self, page: Page) -> None:
        self.page = page
        self.taken: list[dict[str, Any]] = []
        """What the widget has sent, but for questions."""
        texts = {"id": "t", "title": "t", "excerpt": "", "state": "ready", "reason": ""}
        self.threads: list[dict[str, Any]] = [{**texts, "updated": None, "own": True}]
        self.bare = Bare(page, self._take)
        self.start = self.snapshot("a")
        self.bare.send(self.start)
        page.locator("jan-chat .turn").first.wait_for()
        for part in ("math", "code"):  # so that formulas and code are painted at once
            self.stream({"math": "$x$", "code": "```python\nx\n```"}[part])
        page.locator("jan-chat math").first.wait_for(state="detached")

    @property
    def panel(self) -> Panel:
        return Panel(self.page)

    def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == "part":
            value: Any = assets.source(message["name"])
        elif message["type"] == "threads":
            value = self.threads
        else:
            self.taken.append(message)
            return
        self.bare.send({"type": "answer", "to": message["ask"], "value": value})

    def wait_for(self, message: Mapping[str, Any]) -> None:
        """Until the widget has sent it."""
        for _ in range(500):
            if self.taken and self.taken[-1] == message:
                return
            self.page.wait_for_timeout(10)
        raise AssertionError(f"{message} was not sent; the last were {self.taken[-3:]}")

    def snapshot(self, *answers: str) -> dict[str, Any]:
        """A question and answers of which nothing has come yet."""
        turns = [self.turn("q", "user", "?", "done")]
        turns += [self.turn(id, "assistant", "", "writing") for id in answers]
        state = {**self.STATE, "path": ["q", *answers]}
        return {"type": "snapshot", "state": state, "turns": turns}

    @staticmethod
    def turn(id: str, role: str, text: str, status: str) -> dict[str, Any]:
        nothing: dict[str, Any] = dict.fromkeys(("reasoning", "wait", "column"), "")
        nothing |= {name: [] for name in ("images", "context", "footer", "versions", "columns")}
        said = {"id": id, "role": role, "text": text, "status": status}
        return {
            **nothing,
            **said,
            "model": "m",
            "engine": "e",
            "cut": False,
            "error": None,
            "seq": 0,
        }

    @staticmethod
    def model(name: str) -> dict[str, Any]:
        texts = {"id": name, "name": name, "engine": "e", "state": "ready", "note": ""}
        flags = {"local": False, "vision": False, "reasoning": False, "usable": True}
        return {**texts, **flags, "progress": None, "size": None}

    @staticmethod
    def setting(value: Any, level: str) -> dict[str, Any]:
        texts = {"name": "temperature", "title": "Variety", "kind": "parameter", "help": "h"}
        below = {"value": 0.8, "level": "model"}
        limits = {"type": "number", "min": 0, "max": 2, "step": 0.05}
        return {**texts, **limits, "value": value, "level": level, "below": below}

    def stream(self, *texts: str, size: int = 7, pause: float = 0) -> None:
        """Stream answers at once, drawing after each piece, then end them."""
        answers = {f"a{n}": text for n, text in enumerate(texts)}
        deltas = [
            [
                {"type": "delta", "id": id, "seq": at // size + 1, "text": text[at : at + size]}
                for id, text in answers.items()
                if at < len(text)
            ]
            for at in range(0, max(map(len, texts)), size)
        ]
        ends = [
            {"type": "message", "turn": self.turn(id, "assistant", text, "done")}
            for id, text in answers.items()
        ]
        self.page.evaluate(
            """async ([start, deltas, ends, pause]) => {
            window.give([start]);
            for (const pieces of deltas) {
                window.give(pieces);
                await new Promise(r => pause ? setTimeout(r, pause) : requestAnimationFrame(r));
            }
            await new Promise(r => setTimeout(r, 40 + pause));
            window.give(ends);
            await new Promise(r => setTimeout(r, 60));
        }""",
            [self.snapshot(*answers), deltas, ends, pause],
        )


def test_nothing_that_a_model_says_runs_or_is_fetched(tab: Page) -> None:
    assert len(TEXTS) >= 150
    page = Scripted(tab)
    texts = sorted(TEXTS, key=len)
    for at in range(0, len(texts), 12):
        batch = texts[at : at + 12]
        page.stream(*batch, size=max(7, len(batch[0]) // 6))
        assert page.panel.find("article.assistant .md").count() == len(batch)
        found = tab.evaluate(
            """() => [...document.querySelector('jan-chat').shadowRoot.querySelectorAll('.md *')]
            .map(e => [e.tagName, e.namespaceURI.endsWith('MathML'),
                Object.fromEntries([...e.attributes].map(a => [a.name, a.value]))])"""
        )
        for tag, is_math, attributes in found:
            assert is_math or tag in ALLOWED, (batch, tag)
            for name, value in attributes.items():
                assert not name.startswith(("on", "data-commandlinker")), (batch, tag, name)
                assert name != "style" or is_math, (batch, tag, value)
                if name in ("href", "src", "xlink:href", "action"):
                    assert tag == "A", (batch, tag)
                    assert value.startswith(("http://", "https://", "mailto:")), (batch, value)
            if tag == "A":
                assert attributes.get("rel") == "noopener noreferrer", batch
    assert tab.evaluate("window.pwned") is None
    assert page.bare.requests == [], json.dumps(page.bare.requests)
