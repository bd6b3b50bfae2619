"""What a person sees in JupyterLab."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import nbformat
import pytest

from jan_jupyter.types import Reply
from lab import axe
from lab.conftest import Lab, Notebook
from support.jan import add_model
from support.server import StreamingServer, tokens
from test_markdown import CALLS_HOME, COMMANDS, PAYLOADS

if TYPE_CHECKING:
    from playwright.sync_api import Page

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
pytestmark = pytest.mark.slow


def test_an_answer_grows_and_the_stop_button_keeps_it(
    lab: Lab, page: Page, server: StreamingServer
) -> None:
    server.behave("slow", "n=2000,delay=0.02")
    server.behave("short", "n=20")
    lab.write("stream.ipynb", "%load_ext jan_jupyter", "%%jan slow\nhi", "%%jan short\nhi")
    notebook = Notebook(page, lab, "stream.ipynb")
    notebook.run(0)
    notebook.start(1)
    area = notebook.area(1).locator("jan-reply article")
    area.locator("strong").first.wait_for()  # **bold**
    seen = area.inner_text()
    expect(area).to_have_text(re.compile(f".{{{len(seen) + 200},}}", re.DOTALL))
    page.click("[data-command='notebook:interrupt-kernel']")
    notebook.finish(1)
    expect(area).to_contain_text("stopped")
    expect(area).to_have_text(re.compile(f".{{{len(seen) + 200},}}", re.DOTALL))
    expect(area).not_to_contain_text("Traceback")
    assert server.wait("closed")
    notebook.run(2)
    expect(notebook.area(2).locator("jan-reply")).to_contain_text("20 tokens")

    (output,) = notebook.save()[2]["outputs"]
    assert output["data"]["text/plain"] == [*"".join(tokens(20)).splitlines(keepends=True)]
    assert output["metadata"]["jan"]["model"] == "short"


def test_nothing_that_a_model_says_runs_or_calls_home(
    lab: Lab, page: Page, expected: list[str]
) -> None:
    """Outputs of cells that the user ran are trusted by JupyterLab: it sanitises nothing there."""
    asked: list[str] = []
    foreign = re.compile(rf"https?://(?!127\.0\.0\.1:{lab.port}/)")
    page.on("request", lambda request: asked.append(request.url))
    texts = [p.replace("alert(", "(window.pwned=1)+(") for p in PAYLOADS]
    texts += [*CALLS_HOME, "$x$"]
    chunks = [texts[i : i + 40] for i in range(0, len(texts), 40)]  # Lab hides outputs after 50
    show = "from IPython.display import display\nfrom jan_jupyter.markdown import page, safe\n"
    each = "for text in texts:\n    display({'text/markdown': page(safe(text))}, raw=True)"
    as_it_came = "for text in texts:\n    display({'text/markdown': text}, raw=True)"
    last = f"texts = {[CALLS_HOME[0], COMMANDS[0]]!r}\n{show}{as_it_came}"
    lab.write("safe.ipynb", *(f"texts = {chunk!r}\n{show}{each}" for chunk in chunks), last)
    notebook = Notebook(page, lab, "safe.ipynb")
    for number in range(len(chunks)):
        notebook.run(number)
    notebook.cell(len(chunks) - 1).locator("mjx-container").last.wait_for()  # they are set in order
    page.wait_for_timeout(1000)  # what would run late
    assert not [url for url in asked if foreign.match(url)]
    assert page.evaluate("window.pwned") is None
    found = page.evaluate(
        "[...document.querySelectorAll('.jp-OutputArea :not(jan-copy)')].flatMap(e => "
        "[e.tagName, ...e.getAttributeNames().filter(n => n.startsWith('on')), "
        "...(e.getAttribute('href') || '').startsWith('javascript') ? ['javascript'] : []])"
    )
    assert not {"SCRIPT", "IMG", "IFRAME", "OBJECT", "EMBED", "FORM", "javascript"} & set(found)
    assert not [name for name in found if name.startswith("on")]
    commands = page.locator(".jp-OutputArea [data-commandlinker-command]")
    assert commands.count() == 0
    expected.append("http://evil.example/")
    with page.expect_request(foreign):  # what is not made safe asks: so a request would be seen
        notebook.run(len(chunks))
    commands.wait_for()  # and has its command


def test_lists_fit_a_narrow_window(lab: Lab, page: Page) -> None:
    names = [
        "gpt-5-mini",
        "meta-llama/Llama-3.3-70B-Instruct",
        "qwen2.5-coder-32b-instruct-on-ours",
    ]
    add_model(lab.data_folder, "unreachable", engine="ollama")
    for name in names:
        settings = {"base_url": "https://llm.department.university-example.org:8443/v1"}
        add_model(lab.data_folder, name, engine="azure-openai", settings=settings)
    lists = ("models", "engines", "keys", "status", "help", "hub", "help threads")
    commands = [f"%jan {name}" for name in lists]
    lab.write("lists.ipynb", "%load_ext jan_jupyter", *commands)
    try:
        notebook = Notebook(page, lab, "lists.ipynb")
        page.set_viewport_size({"width": 700, "height": 900})
        for number in range(len(commands) + 1):
            notebook.run(number)
            outputs = notebook.cell(number).locator(".jp-OutputArea-output")
            expect(outputs).to_have_count(int(bool(number)))
            assert outputs.evaluate_all("all => all.every(e => e.scrollWidth <= e.clientWidth)")
        # What is wider than the window goes on word by word; JupyterLab breaks words anywhere.
        break_ = page.locator("pre", has_text="%jan threads show").evaluate(
            "e => getComputedStyle(e).wordBreak"
        )
        assert break_ == "normal"
        for number in (1, 2):
            expect(notebook.area(number)).to_contain_text("not running")
    finally:  # others see the same folder
        for name in ("unreachable", *names):
            (lab.data_folder / "models" / name / "model.json").unlink()


def test_code_has_a_box_and_a_button_that_copies_it(lab: Lab, page: Page) -> None:
    show = (
        "print('printed')\nfrom IPython.display import display\n"
        "from jan_jupyter.types import Reply\nfrom jan_jupyter.magics.output import framed\n"
        "text = 'Text\\n```py\\nx = 1\\ny = 2\\n```\\n' + 'long' * 200\n"
        "display({'text/markdown': Reply(text, 'model', 'engine')._repr_markdown_()}, raw=True)\n"
        "display({'text/html': framed('<p>line</p>' * 40)}, raw=True)"
    )
    lab.write("box.ipynb", show)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    Notebook(page, lab, "box.ipynb").run(0)
    answer = page.locator(".jp-RenderedMarkdown")
    answer.locator("jan-copy").click()
    page.wait_for_function(
        "async () => (await navigator.clipboard.readText()).trimEnd() === 'x = 1\\ny = 2'"
    )
    assert answer.evaluate("e => e.scrollWidth <= e.clientWidth")  # the long word wraps
    left = (
        "e => { const r = document.createRange(); r.selectNodeContents(e); "
        "return r.getBoundingClientRect().x }"
    )
    printed = page.locator(".jp-RenderedText pre").evaluate(left)
    assert abs(answer.locator("p").first.evaluate(left) - printed) < 1
    frame = page.locator("iframe[title='HTML answer']")
    page.wait_for_function(
        "(d => d.scrollHeight > 600 && d.scrollHeight <= d.clientHeight)"
        "(document.querySelector('iframe[title]').contentDocument.documentElement)"
    )
    assert frame.evaluate("e => e.contentDocument.scripts.length") == 0

    tones = (
        "from jan_jupyter.commands.tables import Cell, table\n"
        "tones = [Cell(tone, tone) for tone in ('good', 'quiet', 'warning', 'bad')]\n"
        "table(['a', 'b'], [[tone, tone] for tone in tones], below='below', remarks=True)\n"
        "from jan_jupyter.types import Reply\nfrom IPython.display import Markdown\n"
        "Markdown(Reply('text', 'model', 'engine')._repr_markdown_())"
    )
    lab.write("tones.ipynb", tones)
    for theme in ("Dark", "Light"):
        lab.theme(theme)
        Notebook(page, lab, "tones.ipynb").run(0)
        page.locator(".jp-RenderedMarkdown small").wait_for()
        assert axe.faults(page, ".jp-OutputArea-output table, .jp-OutputArea-output small") == []

    reply = Reply("Text\n```py\nx = 1\n```", "model", "engine")
    saved = nbformat.v4.new_output("display_data", {"text/markdown": reply._repr_markdown_()})
    untrusted = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("1", outputs=[saved])],
    )
    nbformat.write(untrusted, lab.folder / "untrusted.ipynb")
    page.goto(lab.url("doc/tree/untrusted.ipynb"))
    page.locator(".jp-RenderedMarkdown pre").wait_for()
    expect(page.locator(".jp-RenderedMarkdown div[style*=border]")).to_have_count(1)
    expect(page.locator("jan-copy")).to_have_count(0)  # nothing that does nothing
