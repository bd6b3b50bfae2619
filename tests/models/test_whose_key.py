"""To whom a key goes: to its engine's own host, or where the user has said; nowhere else."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from jan_jupyter.addresses import host_of, hosts_of, is_same_host
from jan_jupyter.engine_options import keys
from jan_jupyter.models import ModelStore
from jan_jupyter.models.model import Model
from jan_jupyter.settings import Jan

from .trees import plant

ELSEWHERE = "https://api.elsewhere.example/v1"
LOCAL = "http://127.0.0.1:11434/v1"
HOME = "https://api.openai.com/v1"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-openai")
    monkeypatch.setenv("MISTRAL_API_KEY", "sk-of-mistral")
    monkeypatch.setenv("DATABASE_URL", "postgres://me:pw@db")


def found(root: Path, tree: dict[str, Any]) -> tuple[Model, str | None]:
    """The only model of a data folder of the user's own, and the key that goes along."""
    tree = {"models/m/model.json": {"engine": "openai"}, **tree}
    store = ModelStore(plant(root, tree))
    (model,) = store.list()
    return model, store.engine_options(model).at(model).key()


def described(**settings: Any) -> dict[str, Any]:
    return {"models/m/model.json": {"engine": "openai", "settings": settings}}


def imported(**settings: Any) -> dict[str, Any]:
    description = {"engine": "openai", "settings": settings, "metadata": {"origin": "imported"}}
    return {"models/m/model.json": description}


@pytest.mark.parametrize(
    ("tree", "state", "key"),
    [
        # At home: the user's key.
        ({}, "ready", "sk-of-openai"),
        (
            {"engines/openai.json": {"full_url": f"{HOME}/chat/completions"}},
            "ready",
            "sk-of-openai",
        ),
        (described(base_url=HOME), "ready", "sk-of-openai"),
        # The address of another server, in whichever file.
        ({"engines/openai.json": {"full_url": ELSEWHERE, "api_key": "<key>"}}, "needs-key", None),
        ({"engines/openai/engine.json": {"base_url": ELSEWHERE}}, "needs-key", None),
        (described(base_url=ELSEWHERE), "needs-key", None),
        (described(base_url="http://api.openai.com/v1"), "needs-key", None),
        (described(base_url="https://api.openai.com:8443/v1"), "needs-key", None),
        (described(base_url="https://api.openai.com@elsewhere.example/v1"), "needs-key", None),
        ({"engines/openai.json": {"full_url": LOCAL}}, "ready", None),
        (described(base_url=LOCAL), "ready", None),
        (described(base_url="http://192.168.1.2/v1"), "ready", None),
        # Beside the address.
        (described(base_url=ELSEWHERE, api_key="k"), "ready", "k"),
        (described(base_url=LOCAL, api_key="k"), "ready", "k"),
        (described(base_url=ELSEWHERE, api_key_env="MISTRAL_API_KEY"), "ready", "sk-of-mistral"),
        (described(base_url=ELSEWHERE, api_key_env="DATABASE_URL"), "ready", "postgres://me:pw@db"),
        (described(base_url=ELSEWHERE, api_key_env="NOT_SET"), "needs-key", None),
        ({"engines/openai.json": {"full_url": ELSEWHERE, "api_key": "k"}}, "ready", "k"),
        # A key beside one address is not for another.
        (
            {
                "engines/openai.json": {"full_url": ELSEWHERE, "api_key": "k"},
                **described(base_url=LOCAL),
            },
            "ready",
            None,
        ),
        (
            {"engines/openai.json": {"api_key": "k"}, **described(base_url=ELSEWHERE)},
            "needs-key",
            None,
        ),
        (
            {
                "engines/openai/engine.json": {"base_url": ELSEWHERE},
                "engines/openai.json": {"full_url": HOME, "api_key": "k"},
            },
            "needs-key",
            None,
        ),
        # From elsewhere: a description fetches no key by naming it.
        (imported(base_url=ELSEWHERE), "needs-key", None),
        (imported(base_url=ELSEWHERE, api_key_env="OPENAI_API_KEY"), "needs-key", None),
        (imported(base_url=ELSEWHERE, api_key_env="DATABASE_URL"), "needs-key", None),
        (imported(base_url=ELSEWHERE, api_key="k"), "needs-key", None),
        (imported(base_url=LOCAL, api_key_env="OPENAI_API_KEY"), "ready", None),
        (imported(base_url=HOME, api_key_env="MISTRAL_API_KEY"), "ready", "sk-of-mistral"),
        (imported(base_url=HOME, api_key_env="DATABASE_URL"), "ready", "sk-of-openai"),
    ],
)
def test_to_whom_a_key_goes(
    tmp_path: Path, tree: dict[str, Any], state: str, key: str | None
) -> None:
    model, sent = found(tmp_path, tree)
    assert (model.state, sent) == (state, key), model.reason
    if state == "needs-key":
        assert "for engine openai" in model.reason
        named = tree.get("models/m/model.json", {}).get("settings", {}).get("api_key_env")
        if named != "NOT_SET":
            assert "`%jan keys set openai --for " in model.reason


def test_a_key_that_is_kept_for_a_host(tmp_path: Path, isolated: Path) -> None:
    keys.store_key("openai", "sk-kept", tmp_path)
    assert found(tmp_path, described(base_url=ELSEWHERE))[0].state == "needs-key"
    keys.store_key(keys.name_for("openai", "API.elsewhere.example"), "sk-for-it", tmp_path)
    model, sent = found(tmp_path, described(base_url=ELSEWHERE))
    assert (model.state, sent) == ("ready", "sk-for-it")
    assert found(tmp_path, imported(base_url=ELSEWHERE))[1] == "sk-for-it"
    assert found(tmp_path, described(base_url="https://other.example/v1"))[1] is None
    # Without encryption the port is named too.
    plain = described(base_url="http://api.elsewhere.example/v1")
    assert found(tmp_path, plain)[1] is None
    name = keys.name_for("openai", "http://api.elsewhere.example/v1")
    keys.store_key(name, "sk-plain", tmp_path)
    assert found(tmp_path, plain)[1] == "sk-plain"


def test_what_a_file_from_elsewhere_may_send_is_said_once(tmp_path: Path, isolated: Path) -> None:
    tree = imported(base_url=ELSEWHERE, api_key_env="MISTRAL_API_KEY")
    store = ModelStore(plant(tmp_path, tree))
    (model,) = store.list()
    command = "%jan keys allow MISTRAL_API_KEY api.elsewhere.example"
    assert command in model.reason
    assert str(model.path) in model.reason
    keys.allow("MISTRAL_API_KEY", "api.elsewhere.example", tmp_path)
    (model,) = store.list()  # it is seen at the next look
    assert model.state == "ready"
    assert store.engine_options(model).at(model).key() == "sk-of-mistral"
    assert keys.disallow("MISTRAL_API_KEY", "api.elsewhere.example", tmp_path)
    assert store.list()[0].state == "needs-key"
    keys.allow("api_key", "api.elsewhere.example", tmp_path)
    assert found(tmp_path, imported(base_url=ELSEWHERE, api_key="k"))[1] == "k"
    # What looks like no key may not even be allowed.
    assert (
        "allow" not in found(tmp_path, imported(base_url=ELSEWHERE, api_key_env="PATH"))[0].reason
    )


def test_an_address_beside_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", ELSEWHERE)
    assert found(tmp_path, described(base_url=ELSEWHERE))[1] == "sk-of-openai"
    assert found(tmp_path, described(base_url="https://third.example/v1"))[1] is None


def test_the_headers_of_a_file_go_to_its_address(tmp_path: Path) -> None:
    headers = {"headers": {"X-Any": "secret"}}
    for address, theirs, sent in (
        (ELSEWHERE, ELSEWHERE, True),
        (ELSEWHERE, "https://other.example/v1", False),
        (ELSEWHERE, LOCAL, False),
        (None, HOME, True),
        (None, ELSEWHERE, False),
    ):
        engine = {**headers, **({"base_url": address} if address else {})}
        tree = {"engines/openai/engine.json": engine, **described(base_url=theirs)}
        store = ModelStore(plant(tmp_path, tree))
        (model,) = store.list()
        assert bool(store.engine_options(model).at(model).headers) == sent, (address, theirs)


def test_what_jan_has_written_is_not_the_users_own(
    isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JAN_DATA_FOLDER")
    Jan.clear_instance()
    jan = isolated / "home/jan"
    tree = {
        "models/a/model.json": {"engine": "openai"},
        "models/b/model.json": {
            "engine": "groq",
            "settings": {"base_url": ELSEWHERE, "api_key_env": "OPENAI_API_KEY"},
        },
        "engines/openai.json": {"full_url": f"{ELSEWHERE}/chat", "api_key_env": "OPENAI_API_KEY"},
        "engines/mine.json": {"base_url": ELSEWHERE, "api_key_env": "OPENAI_API_KEY"},
        "models/c/model.json": {"engine": "mine"},
        "engines/mistral.json": {"api_key": "k"},
        "models/d/model.json": {"engine": "mistral"},
    }
    plant(jan, tree)
    store = ModelStore()
    for name, key in {"a": None, "b": None, "c": None, "d": "sk-of-mistral"}.items():
        model = store.get(name)
        assert model.state == ("ready" if key else "needs-key"), name
        assert store.engine_options(model).at(model).key() == key


def test_tokens_go_where_the_user_has_said(tmp_path: Path) -> None:
    from jan_jupyter.engine_options.tokens import set_token_provider

    set_token_provider("openai", lambda: "token", tmp_path)
    try:
        for tree, given in (
            (described(), True),
            (described(base_url=ELSEWHERE), True),
            (imported(base_url=ELSEWHERE), False),
        ):
            store = ModelStore(
                plant(tmp_path, tree or {"models/m/model.json": {"engine": "openai"}})
            )
            (model,) = store.list()
            assert store.engine_options(model).at(model).has_token == given
    finally:
        set_token_provider("openai", None, tmp_path)


def test_pickled_options_hold_no_key(tmp_path: Path) -> None:
    engine = {"base_url": ELSEWHERE, "api_key": "sk-canary", "headers": {"X": "sk-canary"}}
    tree = {"engines/openai.json": engine, **described(base_url=ELSEWHERE, api_key="sk-canary")}
    store = ModelStore(plant(tmp_path, tree))
    (model,) = store.list()
    options = store.engine_options(model).at(model)
    assert options.key() == "sk-canary"
    for shown in (repr(options), repr(model), str(pickle.dumps(options)), str(pickle.dumps(model))):
        assert "sk-canary" not in shown
    assert pickle.loads(pickle.dumps(options)).address == ELSEWHERE


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://API.example.com/v1", "api.example.com"),
        ("https://api.example.com:443/v1", "api.example.com"),
        ("https://me:pw@api.example.com./v1", "api.example.com"),
        ("http://api.example.com/v1", "api.example.com:80"),
        ("http://api.example.com:443", "api.example.com:443"),
        ("box:8001", "box:8001"),
        ("api.example.com", "api.example.com"),
        ("http://[::1]:8080", "[::1]:8080"),
        ("http://[broken", ""),
        ("http://h:port", ""),
        ("", ""),
    ],
)
def test_hosts(address: str, host: str) -> None:
    assert host_of(address) == host


def test_a_bare_host_stands_for_its_ports_where_nobody_listens() -> None:
    assert hosts_of("https://h.example:8443/v1") == ["h.example:8443", "h.example"]
    assert hosts_of("http://h.example:8080/v1") == ["h.example:8080"]
    assert hosts_of("http://127.0.0.1:8080/v1") == ["127.0.0.1:8080", "127.0.0.1"]
    assert not is_same_host("", "")


@pytest.mark.parametrize(
    ("name", "is_key"),
    [
        ("OPENAI_API_KEY", True),
        ("HF_TOKEN", True),
        ("MY_KEY_2", True),
        ("api_key", True),
        ("APIKEY", True),
        ("DATABASE_URL", False),
        ("PASSPHRASE", False),
        ("HOME", False),
        ("KEYBOARD", False),
        ("sk-123", False),
        ("", False),
    ],
)
def test_which_variables_look_like_keys(name: str, is_key: bool) -> None:
    assert keys.is_key_variable(name) == is_key
