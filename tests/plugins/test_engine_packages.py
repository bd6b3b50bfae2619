"""An engine in a package of its own: installed for real, asked, mended, removed; no restart."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.environments import OFFLINE, REPOSITORY, environment_like_ours
from support.jan import add_model
from support.kernel import Kernel

EXAMPLE = REPOSITORY / "docs" / "example_engine"
CORPUS = "the cat sat on the mat and the cat ran"

HOLDS = """
    local = True

    async def running(self):
        from jan_jupyter.types import Running

        return [Running("cats", "markov", "a chain of words", "ready", 1, 0, 0.0, 0.0)]
"""
"""What makes the example an engine that holds models in memory."""


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    folder = tmp_path_factory.mktemp("plugins")
    python = environment_like_ours(folder / "environment")
    with Kernel(str(python), folder=folder, env=OFFLINE) as kernel:
        add_model(kernel.data_folder, "cats", engine="markov", parameters={"max_tokens": 6})
        (kernel.data_folder / "models" / "cats" / "corpus.txt").write_text(CORPUS, "utf-8")
        assert kernel.execute("%load_ext jan_jupyter").status == "ok"
        yield kernel


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """A copy of the example package, to be changed."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "example"))


def shown(kernel: Kernel, line: str) -> str:
    result = kernel.execute(line, timeout=120)
    assert result.status == "ok", (result.error, result.text)
    return result.text + "".join(result.data())


def refused(kernel: Kernel, code: str) -> str:
    """The one line of an error."""
    result = kernel.execute(code, timeout=120)
    assert result.error is not None, result
    (line,) = result.error.traceback
    assert len(line.splitlines()) == 1
    return line


def row(kernel: Kernel, engine: str) -> str:
    kernel.execute("from jan_jupyter.engines.install.listing import listing")
    kernel.execute("import jan_jupyter as jan")
    return kernel.execute(
        f"print(*[(r.state, r.remark, r.package, r.models) for r in listing(jan.models)"
        f" if r.name == {engine!r}])"
    ).text


def test_the_example_is_as_short_as_we_say() -> None:
    lines = sum(len(file.read_text("utf-8").splitlines()) for file in EXAMPLE.iterdir())
    assert lines <= 60


def test_an_engine_is_installed_asked_upgraded_broken_and_removed_in_one_kernel(
    notebook: Kernel, example: Path
) -> None:
    # Before: the model is there, its engine is not.
    assert "%jan hub" in refused(notebook, "%%jan cats\nthe cat")
    assert "Nothing is installed" in refused(notebook, f"%jan engines install {example}")
    assert "%jan hub" in refused(notebook, "%%jan cats\nthe cat")

    text = shown(notebook, f"%jan engines install {example} --yes")
    assert "Successfully installed jan-markov-0.1.0" in text
    assert "Engine markov is ready to be used" in text
    output = notebook.execute("%%jan cats --as reply -p seed=1\nthe cat").outputs[0]
    assert set(output["data"]["text/plain"].split()) <= {*CORPUS.split()}
    assert output["metadata"]["jan"]["engine"] == "markov"
    assert notebook.execute("print(reply.usage.completion)").text == "6\n"
    assert "'ready', '', 'jan-markov 0.1.0', 1" in row(notebook, "markov")
    assert "jan-markov 0.1.0" in shown(notebook, "%jan hub markov")
    assert "cats" in shown(notebook, "%jan engines markov")

    # A new version of it answers at once.
    source = example / "jan_markov.py"
    text = source.read_text("utf-8").replace('word + " "', "word.upper()")
    source.write_text(f"{text}\n{HOLDS}", "utf-8")
    project = example / "pyproject.toml"
    project.write_text(project.read_text("utf-8").replace('"0.1.0"', '"0.2.0"'), "utf-8")
    assert "markov is ready" in shown(notebook, f"%jan engines install {example} -y")
    answer = notebook.execute("%%jan cats\nthe cat").outputs[0]["data"]["text/plain"]
    assert answer.isupper()
    assert "a chain of words" in shown(notebook, "%jan ps")

    # A wrong one is refused with its reason, and takes nobody down.
    before = source.read_text("utf-8")
    source.write_text(before.replace("yield Delta(", "print("), "utf-8")
    text = shown(notebook, f"%jan engines install {example} -y")
    assert "Engine markov is broken: " in text
    assert "Markov.chat is a coroutine, but must be an async generator" in text
    assert "async generator" in refused(notebook, "%%jan cats\nthe cat")
    source.write_text(before.replace("import random", "import randon"), "utf-8")
    assert "No module named 'randon'" in shown(notebook, f"%jan engines install {example} -y")
    assert "'broken'" in row(notebook, "markov")
    assert "'ready'" in row(notebook, "nitro")
    assert "a chain of words" not in shown(notebook, "%jan ps")

    assert "jan-markov is removed" in shown(notebook, "%jan engines remove markov")
    assert row(notebook, "markov") == "\n"
    assert "%jan hub" in refused(notebook, "%%jan cats\nthe cat")


def test_what_cannot_be_installed_says_why_in_one_line(notebook: Kernel, tmp_path: Path) -> None:
    for name, says in (
        (str(tmp_path), "pyproject.toml"),
        (str(tmp_path / "nothing.whl"), "no file"),
        ("--index-url=http://evil", "unrecognized"),
        ("groq", "needs no package"),
        ("jan-engine-of-nobody", "the package index cannot be reached"),
    ):
        result = notebook.execute(f"%jan engines install {name} --yes", timeout=120)
        said = result.text + (result.error.traceback[-1] if result.error else "")
        assert result.status == "error"
        assert says in said, said
    assert "part of jan_jupyter" in refused(notebook, "%jan engines remove nitro")
    assert "not the name of an engine" in refused(notebook, "%jan engines remove numpy")


def test_an_install_can_be_stopped(notebook: Kernel, example: Path) -> None:
    """The installer and what it has started are gone; nothing is installed."""
    backend = "import time\ntime.sleep(60)\n"
    (example / "slow.py").write_text(backend, "utf-8")
    project = example / "pyproject.toml"
    text = project.read_text("utf-8").replace('"hatchling.build"', '"slow"\nbackend-path = ["."]')
    project.write_text(text, "utf-8")
    message = notebook.send(f"%jan engines install {example} --yes")
    notebook.wait_text(message, "Processing")
    at = notebook.interrupt()
    assert notebook.wait_idle(message, 30).at - at < 10
    result = notebook.result(message)
    assert result.error is not None
    assert result.error.ename == "Stopped"
    assert row(notebook, "markov") == "\n"
