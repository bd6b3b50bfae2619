"""Answers and saved conversations as JupyterLab and Notebook 7 draw them with our extension."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from jan_jupyter.output_forms import CONVERSATION, REPLY
from jan_jupyter.panel import saved
from jan_jupyter.threads import ThreadMessage
from jan_jupyter.types import ChatRequest, Reply, Timings, Usage
from lab import axe
from lab.conftest import Lab, Notebook
from lab.panel import Panel
from lab.test_comparison_lab import write
from support.jan import add_remote
from support.server import StreamingServer, tokens

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
pytestmark = pytest.mark.slow

LOAD = "%load_ext jan_jupyter"
TEXT = """# A heading

Some **bold** text, `code`, a [link](https://example.org) and $e^{i\\pi}$.

```python
def double(x):
    return 2 * x
```

| a | b |
|---|--:|
| 1 | 22 |

- one
- two
"""
ANSWER = Reply(
    TEXT,
    "a-model",
    "an-engine",
    reasoning="First I **think**.",
    usage=Usage(20, 123),
    timings=Timings(first_token=0.25, total=2.5, tokens_per_second=55.2),
    request=ChatRequest((), {"temperature": 0.5}),
    finish="stop",
    at=1_790_000_000.0,
)


def said(notebook: Notebook, number: int) -> Locator:
    return notebook.area(number).locator("jan-reply article")


def value(reply: Reply) -> dict[str, Any]:
    return reply._repr_mimebundle_()


def conversation() -> dict[str, Any]:
    context = '\n\n<context label="@frame">\n1\n</context>'
    return saved.bundle(
        "0a",
        "thread-1",
        "About doubling",
        [
            ThreadMessage("user", f"How do I **double**?{context}", id="1"),
            ThreadMessage("assistant", TEXT, id="2", model="a-model", reasoning="Hm."),
            ThreadMessage("user", "And then?", id="3"),
            ThreadMessage("assistant", "", id="4", model="a-model", error="It broke."),
        ],
    )


def test_an_answer_grows_in_one_element_and_is_saved_beside_its_markdown(
    lab: Lab, page: Page, server: StreamingServer
) -> None:
    server.behave("slow", "n=200,hold=100")
    lab.write("grows.ipynb", LOAD, "%%jan slow\nhi")
    notebook = Notebook(page, lab, "grows.ipynb")
    notebook.run(0)
    notebook.start(1)
    shown = said(notebook, 1)
    expect(shown).to_have_attribute("data-status", "writing")
    words = re.sub(r"[*`\s-]+", " ", "".join(tokens(100))).strip()
    visible = "e => e.innerText.replace(/\\s+/g, ' ').trim()"
    page.wait_for_function(
        f"([e, words]) => ({visible})(e) === words", arg=[shown.element_handle(), words]
    )
    shown.evaluate("e => { window.shown = e; window.first = e.querySelector('.md p') }")
    server.behave("slow", "n=200")
    notebook.finish(1)
    expect(shown).to_have_attribute("data-status", "done")
    assert shown.evaluate("e => e === window.shown && e.querySelector('.md p') === window.first")
    expect(shown).to_contain_text("200 tokens")
    area = notebook.area(1).locator(".jp-OutputArea-output")
    assert area.evaluate("e => e.scrollHeight <= e.clientHeight"), "no scrollbar of its own"

    (output,) = notebook.save()[1]["outputs"]
    assert set(output["data"]) == {REPLY, "text/markdown", "text/plain"}
    assert "".join(tokens(200)) not in json.dumps(output["data"][REPLY])


@pytest.mark.parametrize("place", ["doc/tree", "notebooks"], ids=["lab", "notebook7"])
def test_what_was_saved_is_drawn_without_trust_and_without_its_kernel(
    lab: Lab, any_page: Page, place: str
) -> None:
    page = any_page
    write(lab, "saved.ipynb", value(ANSWER), conversation())
    Notebook(page, lab, "saved.ipynb", place)
    shown = page.locator("jan-reply article")
    shown.locator("math").wait_for()
    shown.locator(".t-kw").first.wait_for()
    expect(shown).not_to_contain_text("First I think")
    shown.get_by_role("button", name="Reasoning, 3 words").click()
    expect(shown).to_contain_text("First I think")
    shown.get_by_role("button", name="How it came about").click()
    about = shown.get_by_label("How this answer came about")
    for told in ("a-model", "an-engine", "temperature 0.5", "20 asked, 123 answered", "250 ms"):
        expect(about).to_contain_text(told)
    expect(about).to_contain_text("2026")
    talk = page.locator("jan-conversation section")
    expect(talk).to_contain_text("How do I **double**?")
    expect(talk.locator("code", has_text="@frame")).to_be_visible()
    expect(talk.locator(".md strong")).to_have_text("bold")
    expect(talk.get_by_label("This was not answered")).to_contain_text("It broke.")
    assert not axe.faults(page, ".jp-OutputArea")


def test_what_can_be_done_with_an_answer(lab: Lab, page: Page, server: StreamingServer) -> None:
    add_remote(lab.data_folder, server, other="n=7")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    first = f"{LOAD}\nfrom jan_jupyter.types import Reply\nReply({TEXT!r}, 'short', 'openai')"
    lab.write("deeds.ipynb", first, "%%jan short\nhello", "1 + 1")
    notebook = Notebook(page, lab, "deeds.ipynb")
    notebook.run(0)
    notebook.run(1)
    notebook.run(2)  # another cell is the active one
    answer = said(notebook, 0)
    answer.hover()
    answer.get_by_role("button", name="Copy as Markdown").click()
    clipboard(page, TEXT)
    answer.get_by_role("button", name="Copy as text").click()
    clipboard(page, "A heading\n\nSome bold text, code")
    answer.get_by_role("button", name="Insert below").click()
    expect(notebook.cell(1).locator(".cm-content")).to_have_text(re.compile("def double"))
    expect(notebook.cell(1).locator(".jp-InputPrompt")).to_have_text("[ ]:")  # it waits to be run
    notebook.cell(1).locator(".cm-content").click()
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    page.keyboard.press("d")

    answer = said(notebook, 1)
    button = answer.get_by_role("button", name="Compare with …")
    button.focus()  # all by keyboard: what is hidden until then is seen
    expect(answer.locator(".actions")).to_have_css("opacity", "1")
    page.keyboard.press("Enter")
    field = answer.get_by_role("searchbox")
    expect(field).to_be_focused()
    page.keyboard.press("Escape")
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    field.fill("oth")
    expect(answer.get_by_role("listitem")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    notebook.finish(2)
    source = notebook.cell(2).locator(".cm-content").inner_text()
    assert re.fullmatch(r"%jan compare with other --of [0-9a-f]{8}", source.strip())
    expect(notebook.cell(2).locator("jan-comparison:visible")).to_contain_text("other")
    assert notebook.cell(3).locator(".cm-content").inner_text().strip() == "1 + 1"


def clipboard(page: Page, begins: str) -> None:
    page.wait_for_function(
        "async begins => (await navigator.clipboard.readText()).startsWith(begins)", arg=begins
    )


def test_an_answer_that_was_cut_is_a_card_that_runs_the_cell_again(
    lab: Lab, page: Page, server: StreamingServer
) -> None:
    server.behave("slow", "n=20,cut=10")
    lab.write("cut.ipynb", LOAD, "%%jan slow\nhi", "1 + 1")
    notebook = Notebook(page, lab, "cut.ipynb")
    notebook.run(0)
    notebook.run(1)
    notebook.run(2)
    answer = said(notebook, 1)  # an alert as it happens; a group where the page came later
    card = answer.get_by_role("alert").or_(answer.get_by_role("group", name="cut off"))
    expect(card).to_contain_text("The answer was cut off")
    assert said(notebook, 1).get_by_role("button", name="Compare with …").count() == 0
    server.behave("slow", "n=20")
    card.get_by_role("button", name="Run the cell again").click()
    expect(said(notebook, 1)).to_have_attribute("data-status", "done")
    expect(said(notebook, 1)).to_contain_text("20 tokens")
    expect(notebook.area(1)).not_to_contain_text("StreamBroken")


def test_several_answers_and_code_alone(lab: Lab, page: Page, server: StreamingServer) -> None:
    server.behave("short", "n=20")
    several = "%%jan short -p n=2\nhi"
    lab.write("several.ipynb", LOAD, several, "%%jan short -f code\nhi", "%%jan short -f text\nhi")
    notebook = Notebook(page, lab, "several.ipynb")
    for number in range(4):
        notebook.run(number)
    both = said(notebook, 1).get_by_role("region")
    expect(both).to_have_count(2)
    expect(both.nth(0)).to_contain_text("0:the")
    expect(both.nth(1)).to_contain_text("1:the")
    expect(said(notebook, 1)).to_contain_text("40 tokens")
    expect(said(notebook, 2).locator(".code")).to_contain_text("**bold**")
    expect(said(notebook, 3)).to_have_count(0)  # plain text stays what it was


def test_in_a_view_of_its_own(lab: Lab, page: Page) -> None:
    lab.write("view.ipynb", f"{LOAD}\nfrom jan_jupyter.types import Reply", show(ANSWER))
    notebook = Notebook(page, lab, "view.ipynb")
    notebook.run(0)
    notebook.run(1)
    notebook.area(1).click(button="right", position={"x": 3, "y": 40})
    page.get_by_role("menuitem", name="Create New View for Cell Output").click()
    again = page.locator(".jp-LinkedOutputView jan-reply article")
    expect(again).to_contain_text("A heading")
    assert again.get_by_role("button", name="Compare with …").count() == 0  # no cell to stand below


def show(reply: Reply) -> str:
    return f"Reply({reply.text!r}, 'a-model', 'an-engine', finish='stop')"


def test_without_our_extension_the_markdown_is_shown(lab: Lab, page: Page) -> None:
    nbconvert = pytest.importorskip("nbconvert")
    path = write(lab, "converted.ipynb", value(ANSWER), conversation())
    html, _ = nbconvert.HTMLExporter(mathjax_url="", require_js_url="").from_filename(str(path))
    page.context.set_offline(True)
    page.set_content(html)
    expect(page.locator(".jp-RenderedMarkdown").first).to_contain_text("A heading")
    expect(page.locator(".jp-RenderedMarkdown").first).to_contain_text("a-model · 123 tokens")
    expect(page.locator(".jp-RenderedMarkdown").last).to_contain_text("It broke.")

    off = {"disabledExtensions": {"jan-jupyter": True}}
    labconfig = lab.folder / "jupyter" / "config" / "labconfig"
    labconfig.mkdir(parents=True, exist_ok=True)
    page.context.set_offline(False)
    (labconfig / "page_config.json").write_text(json.dumps(off))
    try:
        Notebook(page, lab, "converted.ipynb")
        expect(page.locator(".jp-RenderedMarkdown")).to_have_count(2)
        expect(page.locator("jan-reply, jan-conversation")).to_have_count(0)
    finally:
        (labconfig / "page_config.json").unlink()


def test_a_panel_leaves_a_conversation_that_is_drawn_without_it(lab: Lab, any_page: Page) -> None:
    """While it lives in the page, the conversation is hidden; both are never seen."""
    page = any_page  # JupyterLab complains of a kernel that is restarted while widgets ask it
    lab.write("left.ipynb", "import jan_jupyter as jan\njan.ChatPanel('short')")
    notebook = Notebook(page, lab, "left.ipynb")
    notebook.run(0)
    panel = Panel(page)
    panel.ask_and_wait("a question")
    expect(page.locator("jan-conversation")).to_be_hidden()
    assert any(CONVERSATION in output["data"] for output in notebook.save()[0]["outputs"])
    notebook = Notebook(page, lab, "left.ipynb")
    page.click("[data-command='notebook:restart-kernel']")
    page.click(".jp-Dialog .jp-mod-accept")
    page.reload()
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    talk = page.locator("jan-conversation section")
    expect(talk).to_contain_text("a question")
    expect(talk.locator(".md").first).to_contain_text("the bold")
