"""Cells in JupyterLab: prompts look like prompts, and what may be asked about a cell."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import nbformat
import pytest

from lab import axe, other_kernel
from lab.attacks import TEXTS
from lab.cells import CELL, NOTEBOOK, PROMPT, Cells, contexts, settings
from lab.conftest import Lab, oldest
from lab.panel import Panel
from lab.side import NAME
from support.jan import add_remote
from support.server import StreamingServer

if TYPE_CHECKING:
    from playwright.sync_api import Page

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
pytestmark = pytest.mark.slow

FAILS = "def area(r):\n    return pi * r ** 2\n\narea(2)"
PYTHON = {"kernelspec": {"name": "python3", "display_name": "Python", "language": "python"}}
ERROR = {
    "output_type": "error",
    "ename": "NameError",
    "evalue": "name 'x' is not defined",
    "traceback": ["\x1b[31mNameError\x1b[39m: name 'x' is not defined"],
}


@pytest.fixture(scope="module")
def lab(
    tmp_path_factory: pytest.TempPathFactory, _streaming_server: StreamingServer
) -> Iterator[Lab]:
    """One with a kernel of another language."""
    folder = tmp_path_factory.mktemp("cells")
    other_kernel.install(folder / "jupyter" / "data")
    with Lab(folder) as lab:
        add_remote(lab.data_folder, _streaming_server, parrot="", short="")
        yield lab


# Prompts ------------------------------------------------------------------------------------------


def test_a_prompt_is_shown_as_one_while_it_is_typed_and_nothing_of_it_is_saved(
    lab: Lab, page: Page
) -> None:
    lab.write("typed.ipynb", "%%jan short -t 0\n# Title\nWhat is *this*?", "x = 1", "")
    cells = Cells(page, lab, "typed.ipynb")
    cells.wait_for_type(0, is_prompt=True)
    assert cells.type(1) != PROMPT
    lines = cells.notebook.cell(0).locator(".cm-line")
    expect(lines.nth(0).locator("span", has_text="-t")).to_have_count(1)  # an option
    expect(lines.nth(1).locator("span", has_text="Title")).to_have_css("font-weight", "700")
    expect(lines.nth(2).locator("span", has_text=re.compile("^this$"))).to_have_css(
        "font-style", "italic"
    )

    editor = cells.edit(2)
    page.keyboard.type("%%ja")
    assert cells.type(2) != PROMPT
    page.keyboard.type("n short")
    cells.wait_for_type(2, is_prompt=True)
    page.keyboard.press("Enter")
    page.keyboard.type("**bold**")
    expect(editor.locator(".cm-line").nth(1).locator("span", has_text="bold")).to_have_css(
        "font-weight", "700"
    )
    page.keyboard.press("Control+Home")
    page.keyboard.press("Delete")
    cells.wait_for_type(2, is_prompt=False)
    page.keyboard.type("%")
    cells.wait_for_type(2, is_prompt=True)
    cells.notebook.save()
    assert "prompt" not in cells.notebook.path.read_text("utf-8")


def test_a_prompt_stays_one_when_the_kernel_is_restarted_or_another(
    lab: Lab, any_page: Page
) -> None:
    page = any_page  # JupyterLab itself complains when a kernel goes
    lab.write("restart.ipynb", "%%jan short\nhello", "x = 1")
    cells = Cells(page, lab, "restart.ipynb")
    cells.wait_for_type(0, is_prompt=True)
    page.evaluate(f"""() => {{
      window.types = [];
      const {{ model }} = {CELL.format(0)};
      model.mimeTypeChanged.connect(() => types.push(model.mimeType));
    }}""")
    page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    page.evaluate(
        "() => jupyterapp.shell.currentWidget.sessionContext.changeKernel({ name: 'other' })"
    )
    cells.wait(f"() => {CELL.format(1)}.model.mimeType !== 'text/x-ipython'")
    cells.wait_for_type(0, is_prompt=True)
    assert page.evaluate("() => types.at(-1)") == PROMPT  # it was another one for a moment


def test_a_long_notebook_is_looked_at_once_and_a_key_costs_nothing(lab: Lab, page: Page) -> None:
    """What is typed below the line of a magic makes nobody read the source."""
    lab.write("long.ipynb", "%%jan\nhello", *[f"x = {i}" for i in range(300)], "%%jan\nthe last")
    cells = Cells(page, lab, "long.ipynb")
    cells.wait_for_type(301, is_prompt=True)
    page.evaluate(f"""() => {{
      window.read = 0;
      const {{ sharedModel }} = {CELL.format(0)}.model;
      const getSource = sharedModel.getSource.bind(sharedModel);
      window.looked = new Set();
      sharedModel.getSource = () => {{
        const place = new Error().stack;
        if (place.includes('cells.')) looked.add(place);
        return getSource();
      }};
    }}""")
    cells.edit(0)
    page.keyboard.press("Control+End")
    page.keyboard.type(" and more")
    expect(cells.notebook.cell(0)).to_contain_text("hello and more")
    assert page.evaluate("() => [...looked]") == []
    page.keyboard.press("Control+Home")
    page.keyboard.type("x")
    cells.wait_for_type(0, is_prompt=False)
    assert page.evaluate("() => looked.size") > 0


# What is asked ------------------------------------------------------------------------------------


def test_each_command_asks_with_what_it_needs(lab: Lab, page: Page) -> None:
    lab.write("asked.ipynb", "import math\npi = math.pi", "unused = 1", "print(pi)", "# Words")
    cells = Cells(page, lab, "asked.ipynb")
    for number in range(3):
        cells.notebook.run(number)
    cells.activate(2)
    for name, says in {
        "explain": "Explain this Python cell",
        "improve": "Improve this Python cell",
    }.items():
        cells.command(f"jan:{name}-cell")
        asked = cells.asked()
        assert asked["text"].startswith(says)
        assert contexts(asked) == {
            "cells above": "[1]:\nimport math\npi = math.pi",
            "cell [3]": "print(pi)",
        }
        ids = page.evaluate(f"() => [...{NOTEBOOK}.model.cells].map(c => c.id)")
        assert asked["target"] == {"path": "asked.ipynb", "cell": ids[2]}
    cells.command("jan:document-cell")
    asked = cells.asked()
    assert "docstring" in asked["text"]
    assert contexts(asked) == {"cell [3]": "print(pi)"}
    cells.command("jan:explain-output")
    assert contexts(cells.asked())["output"].startswith("3.14159")
    assert not cells.can("jan:fix-cell")  # nothing has failed
    assert not cells.can("jan:explain-error")
    page.evaluate("""() => jupyterapp.commands.execute('notebook:change-cell-to-markdown')""")
    cells.command("jan:improve-cell")
    assert "Markdown cell" in cells.asked()["text"]
    assert not cells.can("jan:document-cell")
    assert cells.sources == ["import math\npi = math.pi", "unused = 1", "print(pi)", "# Words"]


def test_the_toolbar_has_one_button_with_a_menu_also_by_keyboard(lab: Lab, page: Page) -> None:
    lab.write("menu.ipynb", "x = 1", FAILS)
    cells = Cells(page, lab, "menu.ipynb")
    expect(cells.button(0)).to_have_count(1)
    menu = cells.menu(0)
    expect(menu.locator(".lm-Menu-item:visible")).to_have_text(
        ["Explain", "Improve", "Add a Docstring", "Compare Models on This Cell…"]
    )
    page.keyboard.press("Escape")
    expect(menu).to_have_count(0)
    expect(cells.button(0)).to_be_focused()
    cells.menu(0)
    assert axe.faults(page, ".lm-Menu") == []
    page.keyboard.press("Escape")
    assert axe.faults(page, ".jp-cell-toolbar") == []

    cells.button(0).focus()
    page.keyboard.press("Enter")
    page.locator(".lm-Menu").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert cells.asked()["text"].startswith("Improve")

    cells.notebook.run(1)
    expect(cells.menu(1).locator(".lm-Menu-item", has_text="Fix This Error")).to_be_visible()
    page.keyboard.press("Escape")


def test_the_context_menu_has_it_and_knows_the_output(lab: Lab, page: Page) -> None:
    cell = "print('first')\nfrom IPython.display import display\n"
    cell += "display({'image/png': 'iVBORw0KGgo=', 'text/plain': 'a picture'}, raw=True)"
    lab.write("context.ipynb", cell, "x")
    cells = Cells(page, lab, "context.ipynb")
    cells.notebook.run(0)
    outputs = cells.notebook.area(0).locator(".jp-OutputArea-output")
    for number, (text, images) in enumerate(
        [("first", []), ("a picture", ["data:image/png;base64,iVBORw0KGgo="])]
    ):
        outputs.nth(number).click(button="right", position={"x": 2, "y": 2})
        page.locator(".lm-Menu [data-command='jan:explain-output']").click()
        asked = cells.asked()
        assert asked["text"].startswith("Explain this output of the Python cell")
        assert contexts(asked) == {"cell [1]": cell, "output": text}
        assert asked["images"] == images
    cells.notebook.cell(1).locator(".cm-content").click(button="right")
    page.locator(".lm-Menu-item", has_text=re.compile("^Jan$")).hover()
    page.locator(".lm-Menu [data-command='jan:explain-cell']").click()
    assert contexts(cells.asked()) == {"cell": "x"}


# Errors -------------------------------------------------------------------------------------------


def test_an_error_has_its_button_as_long_as_it_is_there(lab: Lab, page: Page) -> None:
    lab.write("fails.ipynb", "import math", FAILS)
    cells = Cells(page, lab, "fails.ipynb")
    expect(cells.explain(1)).to_have_count(0)
    cells.notebook.run(1)
    expect(cells.explain(1)).to_have_count(1)
    cells.activate(0)
    cells.explain(1).click()
    asked = cells.asked()
    assert asked["text"].startswith("Explain why this Python cell fails")
    about = contexts(asked)
    assert list(about) == ["cell [1]", "error"]
    assert about["error"].endswith("NameError: name 'pi' is not defined")
    assert "\x1b" not in about["error"]

    # By keyboard alone, from the cell on; these keys are not the notebook's here.
    for key in ("Enter", " "):
        cells.wait("() => document.activeElement.closest('#jan-side-panel')")  # where it was asked
        cells.edit(1)
        page.keyboard.press("Escape")
        for _ in range(20):
            page.keyboard.press("Tab")
            if page.evaluate("() => document.activeElement.textContent") == "Explain the error":
                break
        assert "jp-mod-commandMode" in str(page.locator(".jp-Notebook").get_attribute("class"))
        page.keyboard.press(key)
        assert cells.asked()["text"].startswith("Explain why")
    assert axe.faults(page, ".jan-explain-error") == []

    cells.edit(1)
    page.keyboard.press("Control+Home")
    page.keyboard.type("pi = 3\n")
    cells.notebook.run(1)
    expect(cells.explain(1)).to_have_count(0)
    expect(cells.notebook.area(1)).to_contain_text("12")
    assert not cells.can("jan:fix-cell")


def test_saved_errors_have_it_those_of_a_stop_and_of_prompts_do_not(lab: Lab, page: Page) -> None:
    stopped = {**ERROR, "ename": "KeyboardInterrupt", "evalue": ""}
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell(source, outputs=[nbformat.from_dict(output)])
            for source, output in (("x", ERROR), ("y", stopped), ("%%jan short\nhi", ERROR))
        ],
        metadata=PYTHON,
    )
    nbformat.write(notebook, lab.folder / "saved.ipynb")
    cells = Cells(page, lab, "saved.ipynb")
    expect(cells.explain(0)).to_have_count(1)
    expect(cells.explain(1)).to_have_count(0)
    expect(cells.explain(2)).to_have_count(0)
    cells.explain(0).click()
    assert contexts(cells.asked()) == {"cell": "x", "error": "NameError: name 'x' is not defined"}


def test_a_cell_that_is_removed_and_brought_back_has_one_button(lab: Lab, page: Page) -> None:
    cell = nbformat.v4.new_code_cell("x", outputs=[nbformat.from_dict(ERROR)])
    nbformat.write(
        nbformat.v4.new_notebook(cells=[cell], metadata=PYTHON), lab.folder / "undo.ipynb"
    )
    cells = Cells(page, lab, "undo.ipynb")
    expect(cells.explain(0)).to_have_count(1)
    page.evaluate("() => jupyterapp.commands.execute('notebook:insert-cell-below')")
    cells.wait(f"() => {NOTEBOOK}.widgets.length === 2")
    page.evaluate("() => jupyterapp.commands.execute('notebook:move-cell-up')")
    button = page.get_by_role("button", name="Explain the error")  # of all cells
    expect(button).to_have_count(1)
    cells.activate(1)
    page.evaluate("() => jupyterapp.commands.execute('notebook:delete-cell')")
    expect(button).to_have_count(0)
    page.evaluate("() => jupyterapp.commands.execute('notebook:undo-cell-action')")
    expect(button).to_have_count(1)
    button.click()
    assert contexts(cells.asked())["cell"] == "x"


def test_an_error_is_explained_and_the_proposed_cell_takes_its_place_by_a_click(
    lab: Lab, page: Page, server: StreamingServer
) -> None:
    """The model says what it is asked: the question, the cell, the error; the cell has a block."""
    server.behave("parrot", "verbatim")
    fails = 'text = """\n```python\nx = 1\nprint(x)\n```\n"""\nprint(x)'
    lab.write("mended.ipynb", fails)
    with settings(lab, "panel", model="parrot"):
        cells = Cells(page, lab, "mended.ipynb")
        cells.notebook.run(0)
        cells.explain(0).click()
        asked = cells.asked()
        panel = Panel(page, name=NAME)
        expect(panel.questions.last).to_have_text(asked["text"])
        panel.wait()
        assert server.journal()[-1].body["messages"][-1]["content"].count("NameError") >= 1
        block = panel.says.locator("pre").first
        block.hover()
        panel.says.get_by_role("button", name=re.compile("^Replace")).first.click()
        proposal = panel.find(".proposal")
        expect(proposal).to_contain_text("print(x)")
        assert cells.sources == [fails]  # nothing yet
        proposal.get_by_role("button", name="Accept").click()
        cells.wait(f"() => {CELL.format(0)}.model.sharedModel.getSource() === 'x = 1\\nprint(x)'")
        assert cells.notebook.cell(0).locator(".jp-InputPrompt").inner_text() == "[1]:"  # not run
        expect(cells.explain(0)).to_have_count(1)  # it is still the output of what was run
        cells.notebook.run(0)
        expect(cells.explain(0)).to_have_count(0)


# Comparing ----------------------------------------------------------------------------------------


def test_models_are_compared_on_a_cell_beside_each_other_in_the_panel(lab: Lab, page: Page) -> None:
    lab.write("columns.ipynb", FAILS)
    cells = Cells(page, lab, "columns.ipynb")
    cells.notebook.run(0)
    cells.command("jan:compare-cell")
    dialog = page.locator(".jp-Dialog")
    task = dialog.get_by_label("What to do")
    expect(task).to_be_focused()
    expect(task.locator("option")).to_have_text(
        ["Explain", "Fix This Error", "Explain the Error", "Improve", "Add a Docstring"]
    )
    assert axe.faults(page, ".jp-Dialog") == []
    task.select_option("Improve")
    accept = dialog.locator(".jp-mod-accept")
    expect(accept).to_be_disabled()
    dialog.get_by_label(re.compile(r"\(jan-mini\)")).press("Space")
    expect(accept).to_be_disabled()
    dialog.get_by_label(re.compile("^short")).press("Space")
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    asked = cells.asked()
    assert asked["text"].startswith("Improve")
    assert sorted(asked["columns"]) == ["jan-mini", "short"]
    assert cells.sources == [FAILS]


def test_others_are_asked_what_a_prompt_asks_in_a_cell_below(
    lab: Lab, page: Page, server: StreamingServer
) -> None:
    server.behave("short", "n=5")
    lab.write("compared.ipynb", "%load_ext jan_jupyter", "%%jan jan-mini\nWhat is 7 + 5?", "x = 1")
    cells = Cells(page, lab, "compared.ipynb")
    cells.notebook.run(0)
    cells.notebook.run(1)
    cells.activate(1)
    cells.command("jan:compare-cell")
    dialog = page.locator(".jp-Dialog")
    dialog.get_by_label(re.compile("^short")).check()
    expect(dialog.get_by_label("What to do")).to_have_count(0)
    dialog.get_by_role("button", name="Compare").click()
    cells.wait(f"() => {NOTEBOOK}.model.cells.length === 4")
    line, after = cells.sources[2:]
    assert re.fullmatch(r"%jan compare with short --of [0-9a-f]{8}", line)
    assert after == "x = 1"
    cells.notebook.finish(2)
    area = cells.notebook.area(2)
    expect(area.locator(COMPARISON).first).to_contain_text("What is 7 + 5?")


COMPARISON = "xpath=.//*[starts-with(local-name(), 'jan-compar')]"

# Elsewhere ----------------------------------------------------------------------------------------


def test_a_kernel_that_is_not_python_has_its_language_in_what_is_asked(
    lab: Lab, page: Page
) -> None:
    lab.write("other.ipynb", "mean(x)", kernel_name="other")
    cells = Cells(page, lab, "other.ipynb")
    cells.notebook.run(0)
    cells.explain(0).click()
    asked = cells.asked()
    assert asked["text"].startswith("Explain why this R cell fails")
    assert "object 'mean(x)' not found" in contexts(asked)["error"]
    cells.command("jan:document-cell")
    assert "roxygen" in cells.asked()["text"]


def test_all_of_it_goes_without_a_kernel(lab: Lab, page: Page) -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell("x", outputs=[nbformat.from_dict(ERROR)]),
            nbformat.v4.new_code_cell("%%jan\nhello"),
        ],
        metadata={"kernelspec": {"name": "gone", "display_name": "Gone", "language": "julia"}},
    )
    nbformat.write(notebook, lab.folder / "none.ipynb")
    page.goto(lab.url("doc/tree/none.ipynb"))
    page.locator(".jp-Dialog").get_by_role("button", name="No Kernel").click()
    page.evaluate("""() => {
      window.asked = [];
      const { commands } = jupyterapp;
      if (!commands.hasCommand('jan:ask')) commands.addCommand('jan:ask', { execute() {} });
      commands.commandExecuted.connect((_, { id, args }) => id === 'jan:ask' && asked.push(args));
    }""")
    page.get_by_role("button", name="Explain the error").click()
    page.wait_for_function("() => asked.length")
    assert page.evaluate("() => asked[0].text").startswith("Explain why this Julia cell fails")
    page.wait_for_function(f"() => {CELL.format(1)}.model.mimeType === '{PROMPT}'")


def test_notebook_7_has_it_too(lab: Lab, any_page: Page) -> None:
    page = any_page  # Notebook 7 has errors of its own
    lab.write("seven.ipynb", "%%jan short\nhello", FAILS)
    cells = Cells(page, lab, "seven.ipynb", "notebooks")
    cells.wait_for_type(0, is_prompt=True)
    cells.notebook.run(1)
    cells.explain(1).click()
    assert cells.asked()["text"].startswith("Explain why this Python cell fails")
    cells.menu(1).locator(".lm-Menu-item", has_text="Fix This Error").click()
    assert cells.asked()["text"].startswith("Fix the error")


def test_the_oldest_jupyterlab_has_it_too(
    open_lab: Callable[..., Lab], page: Page, server: StreamingServer
) -> None:
    lab = open_lab(python=oldest())
    add_remote(lab.data_folder, server, short="", parrot="")
    lab.write("oldest.ipynb", "%%jan short\n**bold**", FAILS)
    cells = Cells(page, lab, "oldest.ipynb")
    cells.wait_for_type(0, is_prompt=True)
    line = cells.notebook.cell(0).locator(".cm-line").nth(1)
    expect(line.locator("span", has_text="bold")).to_have_css("font-weight", "700")
    cells.notebook.run(1)
    cells.explain(1).focus()
    page.keyboard.press("Enter")
    assert cells.asked()["text"].startswith("Explain why this Python cell fails")
    cells.menu(1).locator(".lm-Menu-item", has_text="Fix This Error").click()
    assert cells.asked()["text"].startswith("Fix the error")
    cells.command("jan:compare-cell")
    for name in ("parrot", "short"):
        page.locator(".jp-Dialog").get_by_label(re.compile(f"^{name}")).press("Space")
    page.locator(".jp-Dialog .jp-mod-accept").click()
    assert sorted(cells.asked()["columns"]) == ["parrot", "short"]


def test_what_is_not_wanted_is_not_there(lab: Lab, page: Page) -> None:
    with settings(lab, "cells", highlight=False, explainErrors=False):
        lab.write("plain.ipynb", "%%jan short\nhello", "x")
        cells = Cells(page, lab, "plain.ipynb")
        cells.notebook.run(1)
        assert cells.can("jan:fix-cell")
        expect(cells.explain(1)).to_have_count(0)
        assert cells.type(0) != PROMPT
        address = lab.url("lab/api/settings/jan-jupyter:cells")
        with urllib.request.urlopen(address) as answer:
            assert json.load(answer)["settings"] == {"highlight": False, "explainErrors": False}


def test_what_cells_and_outputs_hold_runs_nothing(lab: Lab, page: Page) -> None:
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": TEXTS[0]},
        {**ERROR, "ename": TEXTS[1], "evalue": TEXTS[2], "traceback": TEXTS[3:6]},
    ]
    cells = [
        nbformat.v4.new_code_cell(f"%%jan {text}\n{text}") for text in TEXTS[:: len(TEXTS) // 20]
    ]
    bad = nbformat.v4.new_code_cell(TEXTS[0], outputs=[nbformat.from_dict(one) for one in outputs])
    metadata = {**PYTHON, "language_info": {"name": TEXTS[0]}}
    notebook = nbformat.v4.new_notebook(cells=[bad, *cells], metadata=metadata)
    nbformat.write(notebook, lab.folder / "bad.ipynb")
    opened = Cells(page, lab, "bad.ipynb")
    opened.explain(0).click()
    assert contexts(opened.asked())["cell"] == TEXTS[0]
    opened.activate(1)
    opened.command("jan:compare-cell")
    page.locator(".jp-Dialog .jp-mod-reject").click()
    assert page.evaluate("() => window.pwned") is None
    assert len(opened.sources) == len(notebook.cells)
