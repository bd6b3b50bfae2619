"""The chat at the side and the open notebook: what goes along, and what goes into cells."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

from lab.conftest import Lab, Notebook
from lab.panel import SECONDS, Panel
from lab.side import NAME, READY, command, drag, side
from support.server import StreamingServer

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
pytestmark = pytest.mark.slow

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJ"
    "RU5ErkJggg=="
)
FIXED = "Try this:\n```python\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    pass\n```"


@pytest.fixture(autouse=True)
def models(server: StreamingServer) -> None:
    server.behave("short", "n=20")
    server.behave("other", "n=10")
    server.behave("echo", "verbatim")


def opened(lab: Lab, page: Page, name: str, *cells: str, run: int = 0) -> tuple[Notebook, Panel]:
    lab.write(name, *cells)
    notebook = Notebook(page, lab, name)
    for number in range(run):
        notebook.run(number)
    return notebook, fresh(page)


def fresh(page: Page, model: str = "short") -> Panel:
    """The panel with a conversation that begins."""
    panel = side(page)
    panel.button("New thread").click()
    panel.find(".welcome h2").wait_for()
    panel.choose(model)
    return panel


def asked(server: StreamingServer) -> Any:
    """What the last question was, as a model got it."""
    return server.journal()[-1].body["messages"][-1]["content"]


def click(notebook: Notebook, number: int) -> None:
    notebook.cell(number).locator(".jp-InputPrompt").click()


def sources(notebook: Notebook) -> list[str]:
    found: list[str] = notebook.page.evaluate(
        "jupyterapp.shell.currentWidget.content.widgets.map(c => c.model.sharedModel.getSource())"
    )
    return found


def test_context_of_each_kind(
    lab: Lab, page: Page, server: StreamingServer, expected: list[str]
) -> None:
    expected.append("/api/contents/my?")  # a file of that name is looked for
    (lab.folder / "my notes").mkdir()
    (lab.folder / "my notes" / "one file.txt").write_text("what the file says")
    file = "file:'my notes/one file.txt'"
    picture = (
        f"from IPython.display import Image\nImage(data=__import__('base64').b64decode('{PIXEL}'))"
    )
    notebook, panel = opened(
        lab,
        page,
        "context.ipynb",
        "number = 41 + 1\nnumber",
        "1 / 0",
        picture,
        "last = 'cell'",
        run=3,
    )
    click(notebook, 2)
    panel.box.fill("")
    panel.box.type("@")
    for name in ("@cell", "@output", "@error", "@notebook", "@file:…", "@number"):
        panel.find(".choices li", has_text=name).first.wait_for()
    panel.box.type("file:my")
    panel.find(".choices li", has_text="@file:my notes/").click()
    panel.find(".choices li", has_text="@file:my notes/one file.txt").click()
    panel.box.type("@cell:1 @output @error @number @notebook @nobody ")
    for name in ("@cell:1", "@output", "@error", "@number", "@notebook", f"@{file}"):
        panel.find(".along summary", has_text=name).first.wait_for()
    expect(panel.find(".tokens")).to_contain_text("tokens")
    expect(panel.find(".along .remark")).to_have_count(0)  # @nobody is a word
    panel.send_and_wait()
    text, image = asked(server)
    assert image["image_url"]["url"] == f"data:image/png;base64,{PIXEL}"
    for label, said in {
        f"@{file}": "what the file says",
        "@cell:1": "number = 41 + 1",
        "@error": "ZeroDivisionError: division by zero",
        "@number": "42",
        "@notebook": "last = 'cell'",
    }.items():
        begin = text["text"].index(f'<context label="{label}">')
        assert said in text["text"][begin : text["text"].index("</context>", begin)]
    expect(panel.find("article.user .images img")).to_have_count(1)

    # A selection, and a question that is asked otherwise keeps what it names.
    notebook.cell(3).locator(".cm-content").dblclick(position={"x": 12, "y": 8})
    panel.box.click()
    panel.box.fill("what is @selection ")
    panel.find(".along summary", has_text="@selection").wait_for()
    panel.send_and_wait()
    assert '<context label="@selection">\nlast\n' in asked(server)
    panel.act(panel.find("article.user").last, "Edit and send again")
    panel.find(".editor textarea").fill("and @selection again, with @number")
    panel.find(".editor textarea").press("Enter")
    panel.find(".said", has_text="and @selection again").wait_for()
    panel.wait()
    assert '<context label="@number">' in asked(server)
    assert asked(server).count('<context label="@selection">') == 1


def test_what_a_kernel_does_not_tell_is_a_line(
    lab: Lab, page: Page, server: StreamingServer
) -> None:
    notebook, panel = opened(
        lab, page, "busy.ipynb", "value = 1", "import time\ntime.sleep(600)", run=1
    )
    notebook.start(1)
    panel.box.fill("what is @value and @cell ")
    line = panel.find(".along .remark")
    expect(line).to_contain_text("@value: The kernel is busy")
    expect(panel.find(".along summary")).to_have_text(re.compile("^@cell ≈ . tokens$"))
    panel.send_and_wait()
    assert "time.sleep" in asked(server)
    assert "@value" not in asked(server).partition("<context")[2]
    page.click("[data-command='notebook:interrupt-kernel']")
    notebook.finish(1)
    panel.box.fill("now @value ")
    panel.find(".along summary", has_text="@value").wait_for()


LACKS = """
import sys
MISSING = "jan_jupyter"
class Lacks:
    def find_spec(self, name, *rest):
        if name.startswith(MISSING):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Lacks())
from ipykernel.kernelapp import launch_new_instance
launch_new_instance()
"""
OTHER = """
from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelbase import Kernel
class Other(Kernel):
    implementation = banner = "other"
    implementation_version = language_version = "1"
    language_info = {"name": "R", "mimetype": "text/x-rsrc", "file_extension": ".r"}
    def do_execute(self, code, silent, *rest, **more):
        return {"status": "ok", "execution_count": self.execution_count, "payload": [],
                "user_expressions": {}}
IPKernelApp.launch_instance(kernel_class=Other)
"""


def test_kernels_that_cannot_tell(lab: Lab, page: Page) -> None:
    """One without jan_jupyter, one of another version, one that is no Python: one line each."""
    older = LACKS.replace('"jan_jupyter"', '"jan_jupyter.panel.variables"')
    for name, code, said in (
        ("lacks", LACKS, "does not know jan_jupyter"),
        ("older", older, "has another version of jan_jupyter"),
        ("other", OTHER, "runs R"),
    ):
        folder = lab.folder / "jupyter" / "data" / "kernels" / name
        folder.mkdir(parents=True)
        argv = [sys.executable, "-c", code, "-f", "{connection_file}"]
        spec = {"argv": argv, "display_name": name, "language": "python"}
        (folder / "kernel.json").write_text(json.dumps(spec))
        lab.write(f"{name}.ipynb", "value = 1", kernel_name=name)
        Notebook(page, lab, f"{name}.ipynb")
        panel = side(page)
        panel.box.fill("")
        panel.box.type("@")
        expect(panel.find(".choices .remark")).to_contain_text(said)
        panel.box.fill("what is @value ")
        expect(panel.find(".along .remark")).to_contain_text(said)
        panel.box.fill("")


def test_code_goes_into_cells_after_a_look_and_undo_takes_it_back(
    lab: Lab, page: Page, server: StreamingServer
) -> None:
    notebook, panel = opened(lab, page, "fix.ipynb", "1 / 0", "x = 1", run=1)
    panel.choose("echo")
    click(notebook, 0)
    panel.ask_and_wait(FIXED)
    replace = panel.answer.locator("[data-act=replace]")
    replace.click()
    proposal = panel.find(".proposal")
    expect(proposal.locator("h3")).to_have_text("Replace [1] of fix.ipynb?")
    expect(proposal.locator(".added")).to_have_count(4)
    assert sources(notebook) == ["1 / 0", "x = 1"]
    page.keyboard.press("Escape")
    expect(proposal).to_have_count(0)
    expect(replace).to_be_focused()
    page.keyboard.press("Enter")
    expect(proposal.get_by_role("button", name="Accept")).to_be_focused()
    page.keyboard.press("Enter")
    fixed = FIXED.partition("```python\n")[2].removesuffix("\n```")
    assert sources(notebook) == [fixed, "x = 1"]
    assert notebook.cell(0).locator(".jp-InputPrompt").inner_text() == "[1]:"  # it has not run
    notebook.cell(0).locator(".cm-content").click()
    page.keyboard.press("Control+z")
    expect(notebook.cell(0).locator(".cm-content")).to_have_text("1 / 0")

    click(notebook, 0)
    panel.answer.locator("[data-act=insert]").click()
    expect(panel.find(".spoken").first).to_have_text("Inserted")
    assert sources(notebook) == ["1 / 0", fixed, "x = 1"]
    origin = page.evaluate(
        "jupyterapp.shell.currentWidget.content.widgets[1].model.toJSON().metadata.jan"
    )
    assert origin["model"] == "echo"
    assert origin["thread"]
    click(notebook, 1)
    page.keyboard.press("z")
    expect(notebook.page.locator(".jp-Notebook .jp-Cell")).to_have_count(2)


def test_a_cell_that_changes_meanwhile_is_left_alone(lab: Lab, page: Page) -> None:
    notebook, panel = opened(lab, page, "changed.ipynb", "1 / 0")
    panel.choose("echo")
    panel.ask_and_wait(FIXED)
    panel.answer.locator("[data-act=replace]").click()
    panel.find(".proposal").wait_for()
    notebook.cell(0).locator(".cm-content").click()
    page.keyboard.type("# mine ")
    panel.find(".proposal .primary").click()
    expect(panel.find(".proposal .wrong")).to_contain_text("changed meanwhile")
    assert "# mine " in sources(notebook)[0]


def test_a_question_of_another_part_is_about_its_cell(
    lab: Lab, page: Page, server: StreamingServer
) -> None:
    notebook, panel = opened(lab, page, "about.ipynb", "1 / 0", "x = 1")
    panel.choose("echo")
    click(notebook, 1)
    cell = page.evaluate("jupyterapp.shell.currentWidget.content.widgets[0].model.id")
    target = {"path": "about.ipynb", "cell": cell}
    context = [{"label": "cell [1]", "text": "1 / 0"}]
    command(page, "jan:ask", {"text": FIXED, "context": context, "target": target})
    panel.find("article.assistant").wait_for()
    panel.wait()
    assert '<context label="cell [1]">\n1 / 0' in asked(server)
    page.reload()
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60 * SECONDS)
    panel = side(page)
    panel.answer.locator("[data-act=replace]").click()
    expect(panel.find(".proposal h3")).to_contain_text("cell 1 of about.ipynb")
    panel.find(".proposal .primary").click()
    assert sources(notebook)[0].startswith("try:")

    # Several models beside each other, in a conversation of their own.
    command(page, "jan:ask", {"text": "compare", "columns": ["short", "other"]})
    expect(panel.find("article.column")).to_have_count(2)
    panel.wait()
    expect(panel.questions).to_have_text(["compare"])


def test_cells_become_a_conversation_and_a_conversation_cells(
    lab: Lab, page: Page, server: StreamingServer
) -> None:
    jan = nbformat.v4.new_output(
        "display_data", {"text/plain": "Forty-two."}, metadata={"jan": {"model": "short"}}
    )
    cells = [
        nbformat.v4.new_code_cell("%%jan short\nWhat is the answer?", outputs=[jan]),
        nbformat.v4.new_code_cell("answer = 42"),
    ]
    notebook_file = nbformat.v4.new_notebook(
        cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    )
    nbformat.write(notebook_file, lab.folder / "both.ipynb")
    notebook = Notebook(page, lab, "both.ipynb")
    panel = fresh(page)
    click(notebook, 0)
    page.keyboard.press("Shift+ArrowDown")
    command(page, "jan:cells-to-conversation")
    expect(panel.questions).to_have_text(["What is the answer?"])
    expect(panel.says).to_have_text("Forty-two.")
    panel.find(".along summary", has_text="cell 2").wait_for()
    panel.box.fill("why?")
    panel.send_and_wait()
    assert '<context label="cell 2">\nanswer = 42' in asked(server)

    click(notebook, 1)
    panel.box.fill("/cells")
    panel.box.press("Enter")
    expect(page.locator(".jp-Notebook .jp-Cell")).to_have_count(6)
    assert [text.partition("\n")[0] for text in sources(notebook)][2:] == [
        "# What is the answer?",
        "%load_ext jan_jupyter",
        "%%jan -c --raw",
        "%%jan short -c --raw",
    ]
    origin = page.evaluate(
        "jupyterapp.shell.currentWidget.content.widgets[5].model.toJSON().metadata.jan"
    )
    assert origin["thread"]
    assert origin["message"]
    panel.box.fill("/notebook")
    panel.box.press("Enter")
    page.locator(".jp-Notebook:visible .jp-Cell", has_text="What is the answer?").first.wait_for()
    expect(page.locator(".lm-TabBar-tab", has_text="Untitled")).to_have_count(1)


def test_what_is_dragged_in_goes_along(lab: Lab, page: Page, server: StreamingServer) -> None:
    notebook, panel = opened(lab, page, "dragged.ipynb", "first = 1", "second = 2")
    drag(page, notebook.cell(1).locator(".jp-InputPrompt"), panel.find(".composer"))
    chip = panel.find(".along summary", has_text="cell second = 2")
    chip.wait_for()
    assert len(sources(notebook)) == 2
    panel.box.fill("what is it?")
    panel.send_and_wait()
    assert "second = 2\n</context>" in asked(server)

    command(page, "jan:cell-to-panel")
    panel.find(".along summary").first.wait_for()
    panel.find(".along button[aria-label^='Leave out']").click()
    expect(panel.find(".along summary")).to_have_count(0)


def test_who_writes_in_a_cell_when_it_is_there_is_left_alone(lab: Lab, page: Page) -> None:
    lab.write("elsewhere.ipynb", "")
    notebook = Notebook(page, lab, "elsewhere.ipynb", "doc/workspaces/elsewhere/tree")
    page.wait_for_function(READY, timeout=60 * SECONDS)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(re.compile(r"/panel\.[A-Z0-9]+\.js"), hold)
    command(page, "jan:ask", {"text": "hi"})
    while not held:
        page.wait_for_timeout(20)
    notebook.cell(0).locator(".cm-content").click()
    page.keyboard.type("x = ")
    held[0].continue_()
    panel = Panel(page, name=NAME)
    expect(panel.find("article.user")).to_contain_text("hi")
    page.keyboard.type("1")
    assert sources(notebook) == ["x = 1"]
