"""The rooms and their order: imports go one way; heavy packages stay in one room."""

from __future__ import annotations

import ast
import graphlib
import itertools
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "jan_jupyter"

LAYERS = (
    {"consent", "growing", "interpolate", "markdown", "output_forms", "ownership", "units"},
    {"types", "errors", "assets", "settings", "addresses", "redaction"},
    {"bridge", "endable"},
    {"reading", "watch", "programs", "parameters", "precedence", "satisfiable", "requests", "wire"},
    {"engine_options"},
    {"models"},
    {"engines"},
    {"pulls", "telling", "underway"},
    {"router"},
    {"lookout"},
    {"threads"},
    {"workspace"},
    {"attachments", "structured", "tools"},
    {"fold", "ask"},
    {"chat", "texts"},
    {"compare", "conversation"},
    {"console", "cell"},
    {"commands"},
    {"api", "openai_client"},
    {"magics", "panel", "server", "cli", "agents"},
)
FACES = LAYERS[-1]
STARTS = {("cli", "server")}
"""Which face may import which other: a command starts the server."""
PRINTS = FACES | {"commands", "console"}
OWN_PROGRAMS = {"supervisor.py", "serve.py", "chat_template.py"}
"""What runs in a process of its own, whose streams are its own."""

ONLY_IN: dict[str, set[str]] = {
    "IPython": {"magics", "panel"},
    "anywidget": {"panel"},
    "ipykernel": {"magics", "panel"},
    "ipywidgets": {"panel"},
    "jupyter_server": {"server"},
    "jupyter_ai_persona_manager": {"agents"},
    "jupyterlab_chat": {"agents/persona.py"},
    "tornado": {"server"},
    "httpx2": {
        "engines/http",
        "models/hub/web.py",
        "openai_client.py",
    },
    "xllamacpp": {"engines/local"},
    "llama_cpp": {"engines/local/serve_llama_cpp.py"},
    "torch": {"engines/local/serve_ipex_llm.py"},
    "transformers": {"engines/local/serve_ipex_llm.py"},
    "openvino_genai": {"engines/local/serve_openvino.py"},
    "nest_asyncio": {"bridge.py"},
    "gc": set(),  # the collector is the user's
    "traitlets": {"settings.py", "panel"},
}


def files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """The modules that a file imports, absolute, and whether only for the type checker."""
    package = ["jan_jupyter", *path.relative_to(PACKAGE).parts[:-1]]
    tree = ast.parse(path.read_text("utf-8"))
    checked = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node in checked
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield f"{stem}.{alias.name}", node in checked


def level(name: str) -> int:
    return next(i for i, layer in enumerate(LAYERS) if name in layer)


@pytest.mark.parametrize("path", files(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_one_way(path: Path) -> None:
    here = room(path)
    if here == "__init__":
        return
    for name, _ in imports(path):
        parts = name.split(".")
        if parts[0] != "jan_jupyter" or len(parts) < 2:
            continue
        there = parts[1]
        if there == here or there.startswith("__"):
            continue
        assert level(there) <= level(here), f"{here} imports {name}"
        faces = {here, there} <= FACES and (here, there) not in STARTS
        assert not faces, f"face {here} imports face {there}"


def test_no_modules_import_each_other() -> None:
    """Neither at their top nor later, in a function, nor for the type checker alone.

    The package itself is left out: it fetches its names at their first use.
    """
    modules = {
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        for path in files()
    } - {PACKAGE.name}
    graph: dict[str, set[str]] = {}
    for path in files():
        stem = path.relative_to(PACKAGE.parent).with_suffix("").parts
        here = ".".join(stem).removesuffix(".__init__")
        if here in modules:
            names = {name for name, _ in imports(path)}
            there = {name if name in modules else name.rpartition(".")[0] for name in names}
            graph[here] = (there & modules) - {here}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize("path", files(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_heavy_packages_stay_in_their_room(path: Path) -> None:
    where = path.relative_to(PACKAGE).as_posix()
    for name, for_types in imports(path):
        allowed = ONLY_IN.get(name.split(".")[0])
        if allowed is not None and not (for_types or where == "__init__.py"):
            rooms = (where, *(parent.as_posix() for parent in Path(where).parents))
            assert allowed.intersection(rooms), f"{where} imports {name}"


ENGINE_NAMES_IN_MODELS = {
    "jan": "whose folders are read, and our command",
    "cortex": "Jan's folders and descriptions of that name",
    "llamacpp": "Jan's folder of that name",
    "mlx": "Jan's folder of that name",
    "llama.cpp": "whose cache is read, and whose GGUF it is",
    "llama_cpp": "whose cache is read",
    "lmstudio": "whose folder is read",
    "ollama": "whose folder is read, and whose names are pulled",
    "huggingface": "whose cache is read, and whose files are pulled",
    "hf": "whose files are pulled",
    "nvidia": "who makes GPUs",
    "together": "an English word",
}
"""What a file of `models` may say although an engine has that name, and what it means there."""


def test_models_know_no_engine_by_name() -> None:
    rows = json.loads((PACKAGE / "data" / "engines.json").read_text("utf-8"))
    names = {name for key, row in rows.items() for name in (key, *row.get("aliases", ()))}
    assert names >= ENGINE_NAMES_IN_MODELS.keys()
    wanted = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    pattern = re.compile(rf"(?<![a-z0-9])(?:{wanted})(?![a-z0-9])", re.IGNORECASE)
    found = {
        f"{path.relative_to(PACKAGE)}: {name}"
        for path in (PACKAGE / "models").rglob("*.py")
        for name in map(str.lower, pattern.findall(path.read_text("utf-8")))
        if name not in ENGINE_NAMES_IN_MODELS
    }
    assert not found


@pytest.mark.parametrize("path", files(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_room_below_the_faces_prints(path: Path) -> None:
    if room(path) in PRINTS or path.name in OWN_PROGRAMS:
        return
    tree = ast.walk(ast.parse(path.read_text("utf-8")))
    prints = [
        node.lineno
        for node in tree
        if (isinstance(node, ast.Name) and node.id == "print")
        or (
            (isinstance(node, ast.Attribute) and node.attr in ("stdout", "stderr"))
            and isinstance(node.value, ast.Name)
            and node.value.id == "sys"
        )
    ]
    assert not prints


@pytest.mark.parametrize("path", [p for p in files() if p.name.startswith("serve")], ids=str)
def test_what_runs_in_other_environments_needs_nothing_of_ours(path: Path) -> None:
    ours = [name for name, for_types in imports(path) if name.startswith("jan_j") and not for_types]
    assert not ours


LARGEST = {"file": 450, "function": 45, "class": 25}
"""Lines of a file and of a function, and public methods of a class."""
LARGER = {
    "file engines/local/serve.py": "a program by itself, which runs in other environments",
    "file types.py": "the values of all rooms, in one place",
    "class compare/comparison.py Comparison": "all that people ask of it, each in a line or two",
}
"""What is larger, and why."""


def sizes() -> Iterator[tuple[str, int]]:
    for path in files():
        where = path.relative_to(PACKAGE).as_posix()
        text = path.read_text("utf-8")
        yield f"file {where}", len(text.splitlines())
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                yield f"function {where} {node.name}", length
            elif isinstance(node, ast.ClassDef):
                methods = {
                    one.name
                    for one in node.body
                    if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
                    and not one.name.startswith("_")
                }
                yield f"class {where} {node.name}", len(methods)


def test_nothing_is_too_large_without_a_reason() -> None:
    assert {name for name, size in sizes() if size > LARGEST[name.split()[0]]} == {*LARGER}


def test_comments_cite_what_a_reader_has() -> None:
    """What is in the repository, or a public standard: sections of other pages are nobody's."""
    cited = [
        f"{path.relative_to(PACKAGE.parent)}: {line.strip()}"
        for folder in (PACKAGE, PACKAGE.parent / "tests", PACKAGE.parent / "benchmarks")
        for path in folder.rglob("*.py")
        if path != Path(__file__)
        for line in path.read_text("utf-8").splitlines()
        if re.search(r"§|\(facts ", line) and not re.search(r"RFC|WHATWG", line)
    ]
    assert not cited


def test_importing_the_package_imports_nothing_else() -> None:
    code = (
        "import sys; before = set(sys.modules); import jan_jupyter; "
        "new = {m.split('.')[0] for m in set(sys.modules) - before}; "
        "print(sorted(new - set(sys.stdlib_module_names)), 'asyncio' in new)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "['jan_jupyter'] False"


def test_loading_the_extension_opens_nothing_and_imports_no_engine() -> None:
    code = """
import sys, socket
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
before = set(sys.modules)
def refuse(*a): raise SystemExit('a socket was opened')
socket.socket.connect = socket.socket.bind = refuse
import threading
threads = threading.active_count()
shell.run_line_magic('load_ext', 'jan_jupyter')
assert threading.active_count() == threads
new = {m.split('.')[0] for m in set(sys.modules) - before}
print(sorted(new & {'httpx2', 'xllamacpp', 'psutil', 'yaml', 'openai', 'platformdirs'}))
print(any(m.startswith('jan_jupyter.engines') for m in sys.modules))
print([m for m in ('types', 'reading', 'parameters') if f'jan_jupyter.{m}' in sys.modules])
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines() == ["[]", "False", "[]"]


def test_an_answer_by_http_imports_no_sdk() -> None:
    code = """
import sys
from engines.asking import ask, engine, model
from support.server import StreamingServer
with StreamingServer() as server:
    for kind in ("claude", "azure-openai", "hf-endpoints", "nvidia-triton-trt-llm"):
        ask(engine(kind, server.url), model("m:n=1"))
roots = {module.split(".")[0] for module in sys.modules}
print(sorted(roots & {"openai", "anthropic", "azure", "tritonclient", "grpc", "numpy", "jinja2"}))
"""
    tests = {"PYTHONPATH": str(Path(__file__).parent)}
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **tests},
    )
    assert found.stdout.strip() == "[]"


def test_a_conversation_knows_no_jupyter() -> None:
    code = """
import sys
import jan_jupyter.conversation
roots = {module.split(".")[0] for module in sys.modules}
print(sorted(roots & {"IPython", "anywidget", "ipykernel", "ipywidgets", "comm", "tornado"}))
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_public_names_are_there() -> None:
    code = (
        "import jan_jupyter as jan, jan_jupyter.chat, jan_jupyter.models.store, inspect\n"
        "assert all(hasattr(jan, name) for name in jan.__all__)\n"
        "assert callable(jan.chat) and isinstance(jan.models, jan.ModelStore)\n"
        "from jan_jupyter.ask import Stream\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_architecture_page_names_the_rooms_in_their_order() -> None:
    page = (PACKAGE.parent / "docs" / "architecture.md").read_text("utf-8")
    rooms = page.partition("## Rooms")[2].partition("Each imports only")[0]
    for name in {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in files()}:
        if not name.startswith("__"):
            assert re.search(rf"\b{name}\b", rooms), name
    at = [
        [level(name) for name in re.findall(r"`([a-z_]+)", row) if any(name in x for x in LAYERS)]
        for row in rooms.replace(", ", "`, `").split("\n- ")[1:]
    ]
    for above, below in itertools.pairwise(at):
        assert max(above) <= min(below)
