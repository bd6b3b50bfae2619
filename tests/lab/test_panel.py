"""The chat panel in real pages: JupyterLab, Notebook 7, and a page with nothing but the widget."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab import axe
from lab.conftest import Lab, Notebook, busy_until
from lab.panel import Panel
from support.server import StreamingServer, tokens

if TYPE_CHECKING:
    from playwright.sync_api import Page

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
pytestmark = pytest.mark.slow

OLDEST_KERNEL = Path(__file__).parents[2] / ".venv-ipykernel6" / "bin" / "python"
OPEN = "import jan_jupyter as jan\npanel = jan.ChatPanel({})\npanel"


@pytest.fixture(autouse=True)
def models(lab: Lab, server: StreamingServer) -> None:
    for name, behaviour in {
        "slow": "n=3000,delay=0.01",
        "short": "n=20",
        "refused": "status=401",
    }.items():
        server.behave(name, behaviour)


def opened(lab: Lab, page: Page, name: str, *cells: str) -> tuple[Notebook, Panel]:
    lab.write(name, *cells)
    notebook = Notebook(page, lab, name)
    notebook.run(0)
    return notebook, Panel(page)


def test_a_conversation_with_the_bundled_model(lab: Lab, page: Page) -> None:
    """Ask, regenerate, edit, go back to the earlier branch, delete; the kernel sees the same."""
    notebook, panel = opened(
        lab, page, "talk.ipynb", OPEN.format("'jan-mini'"), "[m['content'] for m in panel.messages]"
    )
    panel.ask_and_wait("What is 7 + 5?")
    expect(panel.says).to_contain_text("12")
    expect(panel.footer).to_contain_text("tokens")
    expect(panel.footer).to_contain_text("jan-mini")

    panel.act(panel.answer, "Regenerate")
    panel.find(".versions", has_text="2/2").wait_for()
    panel.wait()
    panel.act(panel.answer, "Earlier version")
    panel.find(".versions", has_text="1/2").wait_for()

    panel.act(panel.find("article.user").first, "Edit and send again")
    panel.find(".editor textarea").fill("What is 2 + 2?")
    panel.find(".editor textarea").press("Enter")
    panel.find("article.user .versions", has_text="2/2").wait_for()
    panel.wait()
    expect(panel.says).to_contain_text("4")
    expect(panel.questions).to_have_text(["What is 2 + 2?"])
    panel.act(panel.find("article.user").first, "Earlier version")
    panel.find(".said", has_text="7 + 5").wait_for()
    expect(panel.says).to_contain_text("12")
    notebook.run(1)
    expect(notebook.area(1)).to_contain_text("12")

    panel.act(panel.answer, "Delete")
    panel.find("article.assistant .danger").click()
    panel.find(".versions", has_text="1/2").first.wait_for()  # the other version takes its place


def test_stop_from_the_first_instant(lab: Lab, page: Page, server: StreamingServer) -> None:
    server.behave("slow", "n=50,stall=0")
    _, panel = opened(lab, page, "stop.ipynb", OPEN.format("'slow'"))
    panel.ask("hi")
    panel.find(".round.stop").click()  # nothing comes
    panel.find(".round.send").wait_for()
    asked = len(server.journal())  # it may have gone out already
    assert not asked or server.wait("closed")
    expect(panel.questions).to_have_text(["hi"])

    server.behave("slow", "n=3000,delay=0.01")
    panel.ask("once more")
    panel.wait_for_text(200)
    panel.stop()
    panel.answer.locator(".footer", has_text="stopped").wait_for()
    assert server.wait("closed", count=asked + 1)
    expect(panel.says).to_have_text(re.compile(".{200,}", re.DOTALL))


def test_another_model_another_value_and_the_request_shows_them(
    lab: Lab, page: Page, server: StreamingServer
) -> None:
    _, panel = opened(lab, page, "model.ipynb", OPEN.format("'jan-mini'"))
    panel.ask_and_wait("What is 7 + 5?")
    panel.choose("short")
    panel.set("temperature", "0.3")
    panel.box.fill("and then?")
    panel.button("Look at the exact request").click()
    panel.find(".look pre", has_text='"temperature": 0.3').wait_for()
    panel.button("Look at the exact request").click()
    panel.ask_and_wait("and then?")
    sent = server.journal()[-1].body
    assert sent["temperature"] == 0.3
    assert [m["role"] for m in sent["messages"]] == ["user", "assistant", "user"]
    footers = panel.find("article.assistant .footer")
    expect(footers).to_have_text([re.compile("^jan-mini"), re.compile("^short")])

    panel.button("Settings").click()
    panel.find(".setting:has(#setting-temperature) button[aria-label^=Reset]").click()
    panel.find("#setting-temperature[placeholder='Auto']").wait_for()
    panel.find("#setting-top_p").fill("7")
    panel.find("#setting-top_p").press("Enter")
    expect(panel.find(".wrong")).to_contain_text("at most 1")


def test_an_error_is_a_card_that_says_how_to_mend_it(
    lab: Lab, page: Page, server: StreamingServer
) -> None:
    _, panel = opened(lab, page, "error.ipynb", OPEN.format("'refused'"))
    panel.ask("hi")
    card = panel.find(".error-card")
    card.wait_for()
    expect(card).to_contain_text("The key was refused")
    expect(card.locator("code")).to_have_text("api_key")
    assert "sk-canary" not in page.content()
    server.behave("refused", "n=20")
    card.get_by_role("button", name="Try again").click()
    panel.find(".error-card").wait_for(state="detached")
    panel.wait()
    expect(panel.says).to_have_text(re.compile("^the bold"))
    expect(panel.questions).to_have_text(["hi"])


def test_code_goes_into_a_new_cell_below_and_runs_only_if_the_user_runs_it(
    lab: Lab, page: Page
) -> None:
    write = (
        "import jan_jupyter as jan\n"
        "thread = jan.ThreadStore().open('code')\n"
        "thread.append(jan.ThreadMessage('user', 'code?'))\n"
        "code = '```python\\nx = 6 * 7\\nprint(x)\\n```\\n'\n"
        "thread.append(jan.ThreadMessage('assistant', code))\n"
        "panel = jan.ChatPanel(thread='code')\npanel"
    )
    notebook, panel = opened(lab, page, "insert.ipynb", write, "'the cell that was below'")
    expect(panel.find(".code .t-num").first).to_have_text("6")  # highlighted
    panel.find(".code button", has_text="Insert below").click()
    page.wait_for_function("document.querySelectorAll('.jp-Notebook .jp-CodeCell').length === 3")
    cell = notebook.cell(1)
    expect(cell.locator(".cm-line")).to_have_text(["x = 6 * 7", "print(x)"])
    expect(notebook.area(1)).to_have_text("")
    notebook.run(1)
    expect(notebook.area(1)).to_contain_text("42")


def test_reloading_the_page_goes_on_with_a_running_answer(
    lab: Lab, page: Page, server: StreamingServer
) -> None:
    server.behave("slow", "n=12000,delay=0.01")  # it lasts, however slow the page is
    notebook, panel = opened(lab, page, "reload.ipynb", OPEN.format("'slow'"))
    panel.ask("a long one")
    panel.wait_for_text(100)
    notebook.save()
    page.reload()
    panel = Panel(page)
    panel.wait_for_text(150)
    panel.wait_for_text(len(panel.says.inner_text()) + 1)  # it grows
    panel.stop()
    panel.footer.filter(has_text="stopped").wait_for()
    text = panel.says.inner_text()
    whole = "".join(tokens(12000)).replace("`", "").replace("*", "").replace("- ", "")
    assert " ".join(text.split()) in " ".join(whole.split())  # nothing is missing, nothing twice
    expect(panel.questions).to_have_text(["a long one"])
    # The file follows, also on a page that did not run the cell.
    assert "a long one" in saved(notebook, "stopped")


def saved(notebook: Notebook, text: str) -> str:
    """What a notebook's file shows of the panel in its first cell, once it has that text."""
    for _ in range(50):
        said = "".join(notebook.save()[0]["outputs"][1]["data"]["text/markdown"])
        if text in said:
            return said
        notebook.page.wait_for_timeout(100)
    raise AssertionError(f"{text!r} is not in the file: {said}")


def test_a_restarted_kernel_is_told_and_the_cell_goes_on_with_its_thread(
    lab: Lab, page: Page
) -> None:
    notebook, panel = opened(lab, page, "restart.ipynb", OPEN.format("'short'"))
    panel.ask_and_wait("before")
    panel.box.fill("a draft")
    page.click("[data-command='notebook:restart-kernel']")
    page.click(".jp-Dialog .jp-mod-accept")
    panel.find(".lost", has_text="was restarted").wait_for(timeout=20_000)
    expect(panel.box).to_be_disabled()
    expect(panel.box).to_have_value("a draft")
    expect(panel.questions).to_have_text(["before"])
    notebook.run(0)  # nothing was saved since the question: it is not the notebook that knows
    panel = Panel(page)
    panel.find(".said", has_text="before").wait_for()
    notebook.run(0)  # once more, in the same kernel
    panel.ask_and_wait("after")
    expect(panel.questions).to_have_text(["before", "after"])
    panel.button("New thread").click()
    panel.find(".welcome h2").wait_for()
    notebook.run(0)
    panel.find(".welcome h2").wait_for()


def test_shift_and_enter_begin_a_new_line(lab: Lab, page: Page) -> None:
    _, panel = opened(lab, page, "lines.ipynb", OPEN.format("'short'"))
    panel.box.click()
    page.keyboard.type("one")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two")
    expect(panel.box).to_have_value("one\ntwo")
    panel.send_and_wait()
    panel.act(panel.find("article.user").first, "Edit and send again")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("three")
    expect(panel.find(".editor textarea")).to_have_value("one\ntwo\nthree")
    page.keyboard.press("Escape")
    panel.button("Settings").click()
    panel.find(".settings textarea").click()
    page.keyboard.type("a")
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("b")
    expect(panel.find(".settings textarea")).to_have_value("a\n\nb")
    panel.button("Close the settings").click()
    panel.box.fill("/set temperature 0.5")
    panel.box.press("Enter")
    panel.find(".composer [role=status]", has_text="temperature is 0.5").wait_for()
    panel.box.fill("/foo")
    panel.box.press("Enter")
    panel.find(".wrong", has_text="no command /foo").wait_for()
    expect(panel.questions).to_have_count(1)


def test_an_empty_thread_offers_beginnings_that_know_the_notebook(
    lab: Lab, page: Page, server: StreamingServer
) -> None:
    table = "table = [1, 2]\n" + OPEN.format("'short'")
    cells = table, "1 / 0", "class DataFrame: ...\ndf = DataFrame()"
    notebook, panel = opened(lab, page, "begin.ipynb", *cells)
    describe = panel.find(".starters button", has_text="Describe")
    explain = panel.find(".starters button", has_text="Explain the last error")
    expect(describe).to_have_text("Describe table")
    expect(explain).to_have_count(0)
    describe.click()
    expect(panel.box).to_have_value("Describe @table ")
    panel.box.fill("")
    notebook.run(1)
    notebook.run(2)
    panel.box.hover()  # whoever comes back to it is offered what holds by now
    expect(describe).to_have_text("Describe df")
    explain.click()
    expect(panel.box).to_have_value("Explain this error, and how to mend it: @error ")
    expect(panel.find(".starters .primary")).to_have_count(0)  # there are others than jan-mini
    panel.send_and_wait()
    asked = server.journal()[-1].body["messages"][-1]["content"]
    assert "ZeroDivisionError: division by zero" in asked

    alone = f"import os\nos.environ['JAN_DATA_FOLDER'] = {str(lab.folder / 'alone')!r}\n"
    notebook, panel = opened(lab, page, "alone.ipynb", alone + OPEN.format(""), "'below'")
    panel.find(".starters button", has_text="Get a real model").click()
    panel.find(".welcome [role=status]", has_text="The cell below lists").wait_for()
    expect(notebook.cell(1).locator(".cm-content")).to_contain_text("%jan search")
    expect(notebook.area(1)).to_have_text("")
    notebook.run(1)
    expect(notebook.area(1)).to_contain_text("qwen3-0.6b")


def test_a_notebook_saved_in_mid_stream_has_the_question_and_what_has_come(
    lab: Lab, page: Page
) -> None:
    notebook, panel = opened(lab, page, "middle.ipynb", OPEN.format("'slow'"))
    panel.ask("the newest")
    panel.wait_for_text(100)
    end = time.monotonic() + 30
    while "the **bold**" not in saved(notebook, "the newest"):  # it is kept now and then
        assert time.monotonic() < end
    expect(panel.find(".round.stop")).to_be_visible()
    panel.stop()


def test_a_second_view_shows_the_same(lab: Lab, page: Page) -> None:
    notebook, first = opened(lab, page, "views.ipynb", OPEN.format("'slow'"), "panel")
    first.ask("hi")
    first.wait_for_text(50)
    notebook.run(1)
    second = Panel(page, 1)
    second.wait_for_text(50)
    second.stop()
    first.find(".round.send").wait_for()
    second.footer.filter(has_text="stopped").wait_for()
    expect(first.says).to_have_text(second.says.inner_text(), use_inner_text=True)
    second.choose("short")
    second.ask_and_wait("more")
    first.find("article.user").nth(1).wait_for()
    for panel in (first, second):
        expect(panel.questions).to_have_text(["hi", "more"])


def test_answers_come_while_a_cell_keeps_the_kernel_busy(lab: Lab, page: Page) -> None:
    notebook, panel = opened(
        lab, page, "busy.ipynb", OPEN.format("'short'"), busy_until("answered")
    )
    notebook.start(1)
    panel.ask_and_wait("while it is busy")
    expect(panel.footer).to_contain_text("20 tokens")
    (lab.folder / "answered").touch()
    notebook.finish(1)


def test_with_ipykernel_6_a_question_waits_for_a_busy_kernel(
    lab: Lab, page: Page, server: StreamingServer
) -> None:
    if not OLDEST_KERNEL.exists():
        pytest.skip("the environment with ipykernel 6 is not set up (`make test` does it)")
    lab.add_kernel("ipykernel-6", OLDEST_KERNEL)
    cells = OPEN.format("'short'"), busy_until("waits")
    lab.write("old.ipynb", *cells, kernel_name="ipykernel-6")
    notebook = Notebook(page, lab, "old.ipynb")
    notebook.run(0)
    panel = Panel(page)
    panel.ask_and_wait("hi")
    expect(panel.footer).to_contain_text("20 tokens")
    notebook.start(1)
    panel.ask("while it is busy")
    panel.find(".pending .remark", has_text="busy with a cell").wait_for()
    (lab.folder / "waits").touch()
    notebook.finish(1)
    panel.find("article.assistant").nth(1).wait_for()
    panel.wait()
    expect(panel.questions).to_have_text(["hi", "while it is busy"])

    panel.choose("slow")
    panel.ask("once more")
    panel.wait_for_text(100)
    panel.stop()
    panel.answer.locator(".footer", has_text="stopped").wait_for()
    assert server.wait("closed")


def test_several_models_answer_side_by_side(lab: Lab, page: Page, server: StreamingServer) -> None:
    server.behave("slow", "n=40,delay=0.02")
    notebook, panel = opened(lab, page, "columns.ipynb", OPEN.format("'short'"), "panel.model")
    panel.find(".model-button").click()
    for name in ("slow", "Jan mini"):
        panel.button(f"Compare: ask {name} as well").click()
    page.keyboard.press("Escape")
    panel.ask("What is 7 + 5?")
    panel.find(".column").nth(2).wait_for()
    panel.wait()
    expect(panel.find(".column header strong")).to_have_text(["short", "slow", "jan-mini"])
    expect(panel.find(".column").nth(2)).to_contain_text("12")
    # Each column has its own scrollbar; the conversation around them needs none.
    assert panel.find(".log").evaluate("e => e.scrollHeight <= e.clientHeight")
    panel.find(".column").nth(2).get_by_role("button", name="Continue with this one").click()
    panel.find(".versions", has_text="/3").first.wait_for()
    expect(panel.says).to_contain_text("12")
    notebook.run(1)
    expect(notebook.area(1)).to_contain_text("'jan-mini'")
    expect(panel.find(".model-button .badge")).to_have_count(0)
    panel.find("button", has_text="Compare the 3 answers again").click()
    expect(panel.find(".column header strong")).to_have_text(["short", "slow", "jan-mini"])
    expect(panel.find(".model-button")).to_have_text("short +2")


def test_magics_and_python_see_the_same_conversation(lab: Lab, page: Page) -> None:
    notebook, panel = opened(
        lab,
        page,
        "faces.ipynb",
        "%load_ext jan_jupyter\n_ = %jan chat --model jan-mini --thread shared",
        "%%jan jan-mini --thread shared\nWhat is 2 + 2?",
        "import jan_jupyter as jan\n"
        "jan.Chat('jan-mini', thread='shared').ask('What is 3 + 3?').text",
    )
    panel.ask_and_wait("What is 7 + 5?")
    notebook.run(1)
    panel.find(".said", has_text="2 + 2").wait_for(timeout=5000)
    notebook.run(2)
    panel.find(".said", has_text="3 + 3").wait_for(timeout=5000)
    expect(panel.questions).to_have_text(["What is 7 + 5?", "What is 2 + 2?", "What is 3 + 3?"])


def test_what_of_the_notebook_goes_along(lab: Lab, page: Page, server: StreamingServer) -> None:
    _, panel = opened(
        lab, page, "context.ipynb", "table = {'key': 4711}\n" + OPEN.format("'short'")
    )
    panel.box.click()
    panel.box.press_sequentially("what is @tab")
    panel.find(".choices li", has_text="@table").wait_for()
    panel.box.press("Tab")
    panel.find(".tokens", has_text="≈").wait_for()
    panel.send_and_wait()
    assert "4711" in server.journal()[-1].body["messages"][-1]["content"]
    expect(panel.questions).to_have_text(["what is @table"])
    expect(panel.find("article.user summary")).to_have_text("@table")


def test_reasoning_is_folded_and_a_cut_answer_goes_on(
    lab: Lab, page: Page, server: StreamingServer
) -> None:
    server.behave("short", "n=20,reasoning=10,finish=length")
    _, panel = opened(lab, page, "cut.ipynb", OPEN.format("'short'"))
    panel.ask_and_wait("think")
    fold = panel.answer.locator(".fold")
    expect(fold).to_have_attribute("aria-expanded", "false")
    fold.click()
    panel.answer.locator(".reasoning .md", has_text="the bold").wait_for()
    before = panel.says.inner_text()
    server.behave("short", "n=5")
    panel.find("button", has_text="Continue this answer").click()
    panel.find("button", has_text="Continue this answer").wait_for(state="detached")
    panel.wait()
    longer = re.compile(re.escape(before.strip()) + ".+", re.DOTALL)
    expect(panel.says).to_have_text(longer, use_inner_text=True)
    assert [m["role"] for m in server.journal()[-1].body["messages"]] == ["user", "assistant"]
    expect(panel.questions).to_have_text(["think"])


DROP = """(box) => {
    const bytes = Uint8Array.from(atob("%s"), (c) => c.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], "dot.png", { type: "image/png" }));
    const options = { bubbles: true, cancelable: true, dataTransfer: data, clipboardData: data };
    for (const event of [new DragEvent("drop", options), new ClipboardEvent("paste", options)])
        box.dispatchEvent(event);
}"""
DOT = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def test_images_are_dropped_and_pasted(lab: Lab, page: Page, server: StreamingServer) -> None:
    _, panel = opened(lab, page, "images.ipynb", OPEN.format("'short'"))
    panel.box.evaluate(DROP % DOT)
    panel.button("Remove image 2").wait_for()
    panel.button("Remove image 2").click()
    panel.ask_and_wait("what is this?")
    text, image = server.journal()[-1].body["messages"][-1]["content"]
    assert text == {"type": "text", "text": "what is this?"}
    assert image["image_url"]["url"].startswith("data:image/png;base64,")
    expect(panel.find("article.user img")).to_have_count(1)


def test_threads_are_found_renamed_deleted_and_saved(lab: Lab, page: Page) -> None:
    _, panel = opened(lab, page, "threads.ipynb", OPEN.format("'short'"))
    panel.ask_and_wait("about zebras")
    with page.expect_download() as download:
        panel.button("Save as Markdown").click()
    assert "about zebras" in download.value.path().read_text("utf-8")

    panel.button("New thread").first.click()
    panel.find(".welcome h2").wait_for()
    panel.ask_and_wait("about lions")
    panel.button("Threads").click()
    row, other = panel.find(".threads li").first, panel.find(".threads li", has_text="about lions")
    other.wait_for()
    panel.find(".threads input[type=search]").fill("zebras")
    other.wait_for(state="detached")
    expect(row).to_contain_text("about zebras")
    row.hover()
    row.locator("button[aria-label^=Rename]").click()
    panel.find(".title-editor").fill("Striped")
    panel.find(".title-editor").press("Enter")
    row.locator(".title", has_text="Striped").wait_for()
    row.locator(".open").click()
    panel.find(".said", has_text="about zebras").wait_for()

    panel.button("Threads").click()
    other.wait_for()
    panel.find(".threads input[type=search]").fill("zebras")
    other.wait_for(state="detached")
    expect(row).to_contain_text("Striped")
    row.hover()
    row.locator("button[aria-label^=Delete]").click()
    row.locator(".danger").click()
    panel.find(".threads .empty", has_text="Nothing found").wait_for()


def test_a_saved_notebook_shows_the_conversation_without_a_kernel(lab: Lab, page: Page) -> None:
    notebook, panel = opened(lab, page, "saved.ipynb", OPEN.format("'jan-mini'"))
    panel.ask_and_wait("What is 7 + 5?")
    page.locator(".jan-saved").first.wait_for(state="attached")
    expect(page.locator(".jan-saved").first).to_be_hidden()  # the panel is there itself
    saved(notebook, "**12**")
    content = json.loads(notebook.path.read_text("utf-8"))
    content["metadata"].pop("kernelspec")  # opens without a kernel being started
    (lab.folder / "again.ipynb").write_text(json.dumps(content), "utf-8")
    page.goto(lab.url("doc/tree/again.ipynb"))
    page.locator(".jan-saved strong", has_text="12").wait_for(timeout=30_000)


COLOURS = """```python
@decorated  # a comment
class A(B):
    def f(self, a: int = 1) -> str:
        return f"{a}" if a is not None else print(a.b)
```

```diff
+ more
- less
```

[a link](https://jupyter.org) and `code`

> quoted
"""


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_axe_finds_no_serious_fault_in_jupyterlab(
    lab: Lab, page: Page, server: StreamingServer, theme: str
) -> None:
    server.behave("slow", "n=40")
    lab.theme(theme)
    write = (
        "import jan_jupyter as jan\n"
        f"thread = jan.ThreadStore().open('colours-{theme}')\n"
        f"thread.append(jan.ThreadMessage('assistant', {COLOURS!r}))\n"
        "jan.ChatPanel('jan-mini', thread=thread)"
    )
    _, panel = opened(lab, page, f"axe-{theme}.ipynb", write)
    panel.find(".t-com").wait_for()
    assert axe.faults(page, "jan-chat") == []
    panel.ask_and_wait("What is a model.json?")
    panel.choose("refused")
    panel.ask("hi")
    panel.find(".error-card").wait_for()
    panel.button("Settings").click()
    panel.find(".setting").first.wait_for()
    assert axe.faults(page, "jan-chat") == []
    panel.choose("short")
    panel.find(".model-button").click()
    panel.button("Compare: ask slow as well").click()
    page.keyboard.press("Escape")
    panel.ask("hi")
    panel.find(".column .quiet-button:not(:disabled)").nth(1).wait_for()
    panel.button("Threads").click()
    panel.find(".threads li").first.wait_for()
    panel.find(".model-button").click()
    panel.find(".model-list").wait_for()
    assert axe.faults(page, "jan-chat") == []


def test_in_notebook_7(lab: Lab, any_page: Page) -> None:
    page = any_page  # Notebook 7 raises some errors of its own
    lab.write("seven.ipynb", OPEN.format("'jan-mini'"))
    Notebook(page, lab, "seven.ipynb", "notebooks").run(0)
    panel = Panel(page)
    panel.ask_and_wait("What is 7 + 5?")
    expect(panel.says).to_contain_text("12")
    panel.ask_and_wait("What is a model.json?")
    panel.find(".code button", has_text="Copy").first.click()
