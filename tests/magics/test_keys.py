"""`%jan keys` in a real kernel: where keys come from, asking for one unseen, forgetting it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.environments import REPOSITORY
from support.jan import add_model, write_json
from support.kernel import Kernel
from support.server import StreamingServer

SECRET = "sk-canary-of-the-keys-test"


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    env = {"MISTRAL_API_KEY": SECRET}
    with Kernel(folder=tmp_path_factory.mktemp("keys"), env=env) as kernel:
        kernel.execute("%load_ext jan_jupyter")
        yield kernel


def say(kernel: Kernel, line: str) -> str:
    """All that a line shows, also its error."""
    result = kernel.execute(line)
    errors = [
        line for o in result.outputs if o["output_type"] == "error" for line in o["traceback"]
    ]
    return result.text + "".join(result.data()) + "\n".join(errors)


def test_a_key_is_asked_for_unseen_kept_used_and_forgotten(
    notebook: Kernel, server: StreamingServer
) -> None:
    engine = {"base_url": server.base_url, "api_key_env": "BOX"}
    write_json(notebook.data_folder / "engines" / "box" / "engine.json", {**engine})
    add_model(notebook.data_folder, "boxed", engine="box")
    elsewhere = {"base_url": server.base_url.replace("127.0.0.1", "localhost")}
    add_model(notebook.data_folder, "strange", engine="box", settings=elsewhere)
    add_model(notebook.data_folder, "gpt", engine="openai")
    file = notebook.data_folder / "keys.json"
    write_json(file, {"groq": "gsk-another"})
    file.chmod(0o600)

    message = notebook.send("%jan keys set box", allow_stdin=True)
    asked = notebook.answer(f" {SECRET}\n")
    assert asked["password"] is True
    assert "box" in asked["prompt"]
    result = notebook.result(message)
    assert result.status == "ok", result.error
    assert f"kept in {file}" in result.text
    assert SECRET not in str(result)
    assert json.loads(file.read_text("utf-8")) == {"groq": "gsk-another", "box": SECRET}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    left = {path.name for path in file.parent.iterdir()}
    assert left <= {"keys.json", "keys.json.lock", "engines", "models"}

    assert notebook.execute("%%jan boxed\nhi").status == "ok"
    assert server.journal()[-1].headers["authorization"] == f"Bearer {SECRET}"
    assert notebook.execute("%%jan strange\nhi").status == "ok"
    assert "authorization" not in server.journal()[-1].headers

    listed = say(notebook, "%jan keys")
    rows = {line.split()[0]: line for line in listed.splitlines() if line.strip()}
    assert str(file)[:20] in rows["groq"]
    assert "environment (MISTRAL_API_KEY)" in rows["mistral"]
    assert "none" in rows["openai"]
    assert "set OPENAI_API_KEY in the environment" in listed
    # What nobody uses is told in one line.
    assert "cohere" not in rows
    assert "cohere" in listed
    assert SECRET not in listed
    assert SECRET[:8] not in listed

    assert f"removed from {file}" in say(notebook, "%jan keys rm box")
    assert json.loads(file.read_text("utf-8")) == {"groq": "gsk-another"}
    assert "still one from environment" in say(notebook, "%jan keys rm mistral")


def test_a_key_for_one_host_and_leave_for_a_file_from_elsewhere(
    notebook: Kernel, server: StreamingServer
) -> None:
    folder, file = notebook.data_folder, notebook.data_folder / "keys.json"
    settings = {"base_url": server.base_url, "api_key_env": "MISTRAL_API_KEY"}
    add_model(folder, "foreign", engine="groq", settings=settings, metadata={"origin": "imported"})
    host = server.base_url.split("/")[2]

    def sent() -> str | None:
        assert notebook.execute("%%jan foreign\nhi").status == "ok"
        return server.journal()[-1].headers.get("authorization")

    assert sent() is None
    assert f"may send MISTRAL_API_KEY to {host} now" in say(
        notebook, f"%jan keys allow MISTRAL_API_KEY {host}"
    )
    assert sent() == f"Bearer {SECRET}"
    assert "allowed" in say(notebook, "%jan keys")
    assert "no longer" in say(notebook, f"%jan keys rm MISTRAL_API_KEY --for {host}")
    assert sent() is None

    message = notebook.send("%jan keys set groq --for 127.0.0.1", allow_stdin=True)
    assert "groq for 127.0.0.1" in notebook.answer("gsk-for-one-host")["prompt"]
    assert notebook.result(message).status == "ok"
    assert json.loads(file.read_text("utf-8"))["groq@127.0.0.1"] == "gsk-for-one-host"
    assert sent() == "Bearer gsk-for-one-host"
    assert "removed" in say(notebook, "%jan keys rm groq --for 127.0.0.1")
    assert sent() is None


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (f"%jan keys set openai {SECRET}", "does not belong on a line"),
        (f"%jan keys set openai --key={SECRET}", "%jan keys?"),
        (f"%jan keys set {SECRET}", "no engine"),
        (f"%jan keys {SECRET}", "%jan keys set ENGINE"),
        (f"%jan keys allow {SECRET} api.example.com", "does not look like the name"),
        (f"%jan keys allow OPENAI_API_KEY '{SECRET} x'", "no host"),
        (f"%jan key set openai {SECRET}", "does not belong on a line"),
        (f"%jan keys openai {SECRET} for me please", "does not belong on a line"),
        ("%jan keys set openai", "Nobody can be asked"),
    ],
)
def test_a_key_on_the_line_is_refused_and_not_repeated(
    notebook: Kernel, line: str, says: str
) -> None:
    said = say(notebook, line)
    assert says in said
    assert SECRET not in said
    assert len(said.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("typed", "says"),
    [("", "no key"), ("<your key>", "no key"), ("sk-… ", "paste it again")],
)
def test_what_is_no_key_is_refused(notebook: Kernel, typed: str, says: str) -> None:
    message = notebook.send("%jan keys set together", allow_stdin=True)
    notebook.answer(typed)
    result = notebook.result(message)
    assert result.error is not None
    (line,) = result.error.traceback
    assert says in line
    assert "stays as it was" in line


@pytest.mark.skipif(os.name != "posix", reason="Windows has other permissions")
def test_a_key_file_that_others_can_read_is_not_used(notebook: Kernel) -> None:
    file = write_json(notebook.data_folder / "keys.json", {"groq": "gsk-another"})
    file.chmod(0o644)
    add_model(notebook.data_folder, "fast", engine="groq")
    try:
        assert f"chmod 600 '{file}'" in say(notebook, "%jan keys")
        assert "chmod 600" in say(notebook, "%%jan fast\nhi")
        message = notebook.send("%jan keys set groq", allow_stdin=True)
        notebook.answer(SECRET)
        result = notebook.result(message)
        assert result.error is not None
        assert "chmod 600" in result.error.traceback[0]
        assert json.loads(file.read_text("utf-8")) == {"groq": "gsk-another"}
        # A key from a place that comes first does not even open the file.
        assert notebook.execute(
            "from jan_jupyter.engine_options import keys; print(keys.find_key('mistral').source)"
        ).text.startswith("environment")
    finally:
        file.unlink()


def test_two_that_set_keys_at_once_lose_none(isolated: Path) -> None:
    code = (
        "import sys; from jan_jupyter.engine_options import keys\n"
        "keys.store_key(sys.argv[1], 'key-' * 9)"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", code, f"engine{i}"], cwd=REPOSITORY)
        for i in range(6)
    ]
    assert [writer.wait() for writer in writers] == [0] * 6
    file = isolated / "jan" / "keys.json"
    assert len(json.loads(file.read_text("utf-8"))) == 6


def test_a_real_keyring_is_preferred(isolated: Path) -> None:
    import keyring.backend

    from jan_jupyter.engine_options import keys

    kept: dict[tuple[str, str], str] = {}

    class Ring(keyring.backend.KeyringBackend):  # type: ignore[misc]
        priority = 5

        def get_password(self, service: str, name: str) -> str | None:
            return kept.get((service, name))

        def set_password(self, service: str, name: str, key: str) -> None:
            kept[service, name] = key

        def delete_password(self, service: str, name: str) -> None:
            del kept[service, name]

    before = keyring.get_keyring()
    keyring.set_keyring(Ring())
    try:
        assert keys.store_key("groq", SECRET) == "keyring"
        found = keys.find_key("groq")
        assert found is not None
        assert (str(found.secret), found.source) == (SECRET, "keyring")
        assert keys.remove_key("groq") == ["keyring"]
        assert not kept
        assert not keys.key_file().exists()
    finally:
        keyring.set_keyring(before)
