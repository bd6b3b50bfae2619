"""Engine names, engine files and their precedence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jan_jupyter.addresses import is_own_server
from jan_jupyter.engine_options.engine_files import read_engine_options
from jan_jupyter.engine_options.engine_rows import canonical, known_engines
from jan_jupyter.engine_options.options import EngineOptions
from jan_jupyter.models import ModelStore

from .trees import models, only, plant

EXTENSION = "settings/@janhq/inference-{}-extension/settings.json"


def options(root: Path, name: str, tree: dict[str, Any]) -> EngineOptions:
    return read_engine_options(name, [plant(root, tree)])


def control(key: str, value: Any) -> dict[str, Any]:
    return {"key": key, "title": key, "controllerProps": {"value": value, "placeholder": "p"}}


# Names ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("nitro", [None, "", "nitro", "cortex", "llama-cpp", "llama.cpp", "llama_cpp", "llamacpp"]),
        ("nitro", ["cortex.llamacpp", "NITRO", " Llama.CPP "]),
        ("openai", ["openai", "OpenAI"]),
        ("azure-openai", ["azure", "azure-openai", "azure_openai"]),
        ("claude", ["anthropic", "claude"]),
        ("hf-endpoints", ["hf", "huggingface", "tgi", "hf-endpoints"]),
        ("nvidia-triton-trt-llm", ["triton_trtllm", "triton_tensorrtllm", "nvidia-triton-trt-llm"]),
        ("intel-bigdl", ["bigdl", "intel-bigdl", "ipex-llm"]),
        ("google_gemini", ["google_gemini"]),
        ("my-own", ["My-Own"]),
    ],
)
def test_canonical(name: str, written: list[str | None]) -> None:
    assert {canonical(spelling) for spelling in written} == {name}


def test_the_table_of_engines() -> None:
    rows = known_engines()
    same = (
        "groq mistral martian openrouter nvidia deepseek google_gemini gemini vertexai featherless"
    )
    for name in [*same.split(), "ollama"]:
        assert (rows[name].kind, rows[name].speaks) == ("remote", "openai")
    for name in ("nitro-tensorrt-llm", "tensorrt-llm", "onnxruntime", "onnx", "mlx"):
        assert rows[name].kind == "unsupported"
    assert {name for name, row in rows.items() if row.kind == "local"} == {"nitro", "intel-bigdl"}
    assert {name for name, row in rows.items() if row.parameters} == {"nitro"}


# Files ------------------------------------------------------------------------------------------


def test_without_files_the_built_in_row(tmp_path: Path) -> None:
    found = options(tmp_path, "groq", {})
    assert (found.kind, found.base_url) == ("groq", "https://api.groq.com/openai/v1")
    assert (found.settings, found.parameters, found.files) == ({}, {}, ())
    nitro = options(tmp_path, "llama.cpp", {})
    assert (nitro.name, nitro.kind) == ("llama.cpp", "nitro")
    assert nitro.parameters["temperature"] == 0.7


def test_field_by_field_precedence(tmp_path: Path) -> None:
    tree = {
        "engines/nitro/engine.json": {"settings": {"ngl": 1}, "parameters": {"stop": ["a"]}},
        "engines/nitro.json": {"ngl": 2, "ctx_len": "2048", "embedding": True},
        EXTENSION.format("nitro"): [
            control("ngl", 3),
            control("ctx_len", 4),
            control("cpu_threads", 5),
        ],
    }
    found = options(tmp_path, "nitro", tree)
    assert found.settings == {
        "ngl": 1,
        "ctx_len": 2048,
        "embedding": True,
        "cpu_threads": 5,
        "n_parallel": 1,
    }
    assert found.parameters["stop"] == ["a"]
    assert found.parameters["top_p"] == 0.95
    assert found.files == tuple(tmp_path / name for name in tree)
    other = plant(tmp_path / "other", {"engines/nitro.json": {"ngl": 9, "cont_batching": True}})
    both = read_engine_options("nitro", [tmp_path, other])
    assert (both.settings["ngl"], both.settings["cont_batching"]) == (1, True)


def jans(chat: str, **more: Any) -> dict[str, Any]:
    """A remote engine as Jan 0.5 wrote it."""
    return {"metadata": {"transform_req": {"chat_completions": {"url": chat}}}, **more}


@pytest.mark.parametrize(
    "file",
    [
        {"full_url": "https://api.cohere.ai/v1/chat"},
        {"base_url": "https://api.cohere.ai/v2/"},
        jans("https://api.cohere.ai/v1/chat", url="https://dashboard.cohere.com/api-keys"),
        {},
    ],
)
def test_coheres_own_address_is_that_of_openais_shape(tmp_path: Path, file: Any) -> None:
    found = options(tmp_path, "cohere", {"engines/cohere.json": file})
    assert found.address == "https://api.cohere.ai/compatibility/v1"


@pytest.mark.parametrize("url", ["https://proxy.example/v1/chat", "https://api.cohere.ai/x/v1"])
def test_another_address_of_cohere_stays(tmp_path: Path, url: str) -> None:
    assert options(tmp_path, "cohere", {"engines/cohere.json": {"full_url": url}}).address == url


def test_a_definition_that_names_the_address_beside_it_is_filled_in(tmp_path: Path) -> None:
    definition = jans("{{base_url}}/chat/completions", base_url="http://localhost:9/v1/")
    found = options(tmp_path, "openai", {"engines/openai.json": definition})
    assert found.address == "http://localhost:9/v1/chat/completions"


@pytest.mark.parametrize(
    "url",
    [
        "{{base_url}}/chat/completions",
        "https://{resource}.openai.azure.com",
        "http://<server-ip-address>:<port>/v1",
    ],
)
def test_an_address_with_gaps_is_told_before_a_missing_key(tmp_path: Path, url: str) -> None:
    root = plant(
        tmp_path,
        {
            "engines/openai.json": jans(url),
            "models/far/model.json": {"engine": "openai"},
        },
    )
    model = ModelStore(root).get("far")
    assert (model.state, "no address" in model.reason) == ("broken", True)


def test_an_address_is_taken_whole_from_one_place(tmp_path: Path) -> None:
    tree = {
        "engines/openai/engine.json": {"base_url": "http://localhost:1/v1"},
        "engines/openai.json": {"full_url": "https://h/chat", "api_key": "k"},
    }
    found = options(tmp_path, "openai", tree)
    assert (found.base_url, found.full_url, found.api_key) == ("http://localhost:1/v1", "", "")
    (tmp_path / "engines/openai/engine.json").unlink()
    found = options(tmp_path, "openai", {})
    assert (found.base_url, found.full_url, found.api_key) == ("", "https://h/chat", "k")


def test_a_name_is_looked_up_as_written_then_in_its_other_spellings(tmp_path: Path) -> None:
    tree = {
        "engines/anthropic.json": {"api_key": "a"},
        "engines/claude.json": {"base_url": "http://c"},
    }
    found = options(tmp_path, "anthropic", tree)
    assert (found.name, found.kind, found.api_key) == ("anthropic", "claude", "a")
    assert found.base_url == "https://api.anthropic.com"
    assert options(tmp_path, "claude", {}).base_url == "http://c"
    (tmp_path / "engines/claude.json").unlink()
    assert options(tmp_path, "claude", {}).api_key == "a"
    assert (
        options(tmp_path / "b", "cortex", {"engines/nitro.json": {"ngl": 7}}).settings["ngl"] == 7
    )


@pytest.mark.parametrize("key", ["", "<your key>", "sk-<your key here>", "sk-or-v1<key>", "N/A"])
def test_a_placeholder_is_no_key(tmp_path: Path, key: str) -> None:
    assert options(tmp_path, "openai", {"engines/openai.json": {"api_key": key}}).api_key == ""


@pytest.mark.parametrize("address", ["http://localhost:<port>/v1", "http://<server-ip-address>/v1"])
def test_an_address_with_a_placeholder_is_not_configured(tmp_path: Path, address: str) -> None:
    found = options(tmp_path, "openai", {"engines/openai.json": {"full_url": address}})
    assert found.address == ""
    assert "not filled in" in found.warnings[0]
    assert options(tmp_path, "ollama", {"engines/ollama.json": {"base_url": ""}}).address


def test_azure_is_known_by_its_address(tmp_path: Path) -> None:
    url = "https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=1"
    found = options(tmp_path, "openai", {"engines/openai.json": {"full_url": url, "api_key": "k"}})
    assert (found.name, found.kind, found.full_url) == ("openai", "azure-openai", url)
    assert found.key_name == "azure-openai"


def test_a_definition_of_v0_5_17(tmp_path: Path) -> None:
    definition = {
        "id": "anthropic",
        "engine": "anthropic",
        "type": "remote",
        "url": "https://page/keys",
        "api_key": "k",
        "metadata": {
            "header_template": "x-api-key: {{api_key}}",
            "transform_req": {
                "chat_completions": {"url": "https://h/v1/messages", "template": "{}"}
            },
        },
    }
    found = options(tmp_path, "anthropic", {"engines/anthropic.json": definition})
    assert (found.kind, found.full_url, found.base_url) == ("claude", "https://h/v1/messages", "")
    assert (found.api_key, found.headers) == ("k", {})


def test_a_provider(tmp_path: Path) -> None:
    provider = {
        "provider": "mine",
        "base_url": "https://h/v1",
        "custom_header": [{"header": "X-A", "value": "1"}, {"header": "X-B"}, 3],
        "headers": {"X-C": "2"},
    }
    found = options(tmp_path, "mine", {"engines/mine.json": provider})
    assert (found.kind, found.headers) == ("openai", {"X-A": "1", "X-C": "2"})


def test_settings_of_an_extension(tmp_path: Path) -> None:
    tree = {
        EXTENSION.format("openrouter"): [
            control("openrouter-api-key", "first"),
            control("openrouter-api-key", " key "),
            control("chat-completions-endpoint", "https://h/chat"),
            control("openrouter-model", "some/model"),
            control("unknown", {"a": 1}),
            "rubbish",
            {"key": "ctx_len"},
        ]
    }
    found = options(tmp_path, "openrouter", tree)
    assert (found.api_key, found.full_url, found.model) == ("key", "https://h/chat", "some/model")
    emptied = [control("openrouter-api-key", "first"), control("openrouter-api-key", "")]
    assert options(tmp_path, "openrouter", {EXTENSION.format("openrouter"): emptied}).api_key == ""
    triton = options(
        tmp_path,
        "nvidia-triton-trt-llm",
        {EXTENSION.format("triton-trtllm"): [control("tritonllm-api-key", "t")]},
    )
    assert triton.api_key == "t"


@pytest.mark.parametrize("content", ["", "{", "7", '"x"', '{"settings": 3, "headers": []}'])
def test_a_bad_engine_file_is_a_warning(tmp_path: Path, content: str) -> None:
    tree = {"engines/groq/engine.json": content, "engines/groq.json": {"api_key": "k"}}
    found = options(tmp_path, "groq", {**tree, EXTENSION.format("groq"): content})
    assert (found.api_key, found.base_url) == ("k", "https://api.groq.com/openai/v1")
    assert found.warnings


@pytest.mark.parametrize("name", ["../models/x", "..", "a/b", "C:x", "\0", "x" * 5000, "."])
def test_a_name_that_leads_elsewhere_finds_no_file(tmp_path: Path, name: str) -> None:
    plant(tmp_path, {"models/x.json": {"api_key": "k"}, "engines/a/b.json": {"api_key": "k"}})
    found = options(tmp_path, name, {"engines/y.json": {}, "engine.json": {"api_key": "k"}})
    assert (found.files, found.api_key) == ((), "")


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    engine = {"api_key": "sk-secret", "headers": {"Authorization": "sk-secret"}}
    found = options(tmp_path, "openai", {"engines/openai.json": engine})
    assert found.api_key == "sk-secret"
    assert "sk-secret" not in repr(found)
    wrong = {"api_key": ["sk-secret"], "headers": {"A": {"b": "sk-secret"}}}
    found = options(tmp_path, "openai", {"engines/openai.json": wrong})
    assert found.warnings
    assert "sk-secret" not in repr(found)


# What it means for a model ----------------------------------------------------------------------


def test_several_servers_side_by_side(tmp_path: Path) -> None:
    root = plant(
        tmp_path,
        {
            "engines/box-a/engine.json": {"engine": "openai", "base_url": "http://localhost:1/v1"},
            "engines/Box-B.json": {"base_url": "https://b.example/v1", "api_key_env": "B_KEY"},
            "models/a/model.json": {"engine": "Box-A"},
            "models/b/model.json": {"engine": "Box-B"},
            "models/c/model.json": {"engine": "box-c"},
        },
    )
    found = models(root)
    assert [(m.engine, m.state) for m in found.values()] == [
        ("box-a", "ready"),
        ("box-b", "needs-key"),
        ("box-c", "broken"),
    ]
    assert "B_KEY" in found["b"].reason
    assert "openrouter" in found["c"].reason
    assert ModelStore(root).engine_options(found["b"]).kind == "openai"


def test_an_own_server_is_not_told_the_key_of_openai(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-theirs")
    tree = {"engines/box.json": {"engine": "openai", "base_url": "https://box.example/v1"}}
    assert options(tmp_path, "box", tree).key() is None
    assert options(tmp_path, "openai", {}).key() == "sk-theirs"
    monkeypatch.setenv("BOX_API_KEY", "mine")
    assert options(tmp_path, "box", {}).key() == "mine"


@pytest.mark.parametrize(
    ("engine", "state"),
    [
        ({}, "needs-key"),
        ({"api_key": "<your key>"}, "needs-key"),
        ({"api_key": "k"}, "ready"),
        ({"base_url": "http://127.0.0.1:8080/v1"}, "ready"),
        ({"full_url": "http://[::1]:8080/v1/chat/completions"}, "ready"),
        ({"headers": {"Authorization": "Bearer k"}}, "ready"),
        ({"api_key": "k", "full_url": "http://<server-ip-address>:<port>/v1"}, "broken"),
    ],
)
def test_state_of_a_remote_model(tmp_path: Path, engine: dict[str, Any], state: str) -> None:
    tree = {"engines/openai.json": engine, "models/m/model.json": {"engine": "openai"}}
    model = only(plant(tmp_path, tree))
    assert model.state == state
    assert ("OPENAI_API_KEY" in model.reason) == (state == "needs-key")


def test_the_environment_holds_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = plant(tmp_path, {"models/m/model.json": {"engine": "google_gemini"}})
    assert only(root).state == "needs-key"
    assert "GEMINI_API_KEY" in only(root).reason
    monkeypatch.setenv("GEMINI_API_KEY", "k")
    assert only(root).state == "ready"


@pytest.mark.parametrize(
    ("address", "state"),
    [
        ("https://r.openai.azure.com/openai/deployments/d/chat/completions", "broken"),
        ("https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=1", "ready"),
    ],
)
def test_azure_needs_a_version(tmp_path: Path, address: str, state: str) -> None:
    tree = {
        "engines/openai.json": {"full_url": address, "api_key": "k"},
        "models/m/model.json": {"engine": "openai"},
    }
    model = only(plant(tmp_path, tree))
    assert (model.engine, model.written_engine, model.state) == ("azure-openai", "openai", state)
    assert ("api-version" in model.reason) == (state == "broken")
    assert ModelStore(tmp_path).engine_options(model).kind == "azure-openai"


def test_the_address_of_a_model_goes_before_that_of_its_engine(tmp_path: Path) -> None:
    local = {"engine": "openai", "settings": {"base_url": "http://localhost:1/v1"}}
    azure = {"engine": "openai", "settings": {"base_url": "https://r.openai.azure.com"}}
    tree = {
        "models/a/model.json": local,
        "models/b/model.json": azure,
        "models/c/model.json": {"engine": "triton_trtllm"},
        "models/d/model.json": {
            "engine": "triton_trtllm",
            "settings": {"base_url": "http://t:8000"},
        },
    }
    found = models(plant(tmp_path, tree))
    assert [m.state for m in found.values()] == ["ready", "needs-key", "broken", "ready"]
    assert found["b"].engine == "azure-openai"
    assert "base_url" in found["c"].reason


def test_one_bad_key_file_is_told_where_a_key_is_missing(tmp_path: Path, isolated: Path) -> None:
    root = plant(tmp_path, {"models/m/model.json": {"engine": "groq"}, "keys.json": {"groq": "k"}})
    keys = root / "keys.json"
    keys.chmod(0o644)
    assert only(root).state == "needs-key"
    assert "chmod 600" in only(root).reason
    keys.chmod(0o600)
    assert only(root).state == "ready"


@pytest.mark.parametrize(
    ("address", "own"),
    [
        ("http://localhost:1/v1", True),
        ("http://127.1.2.3", True),
        ("http://192.168.1.2:80", True),
        ("http://gpu-box:80", True),
        ("http://gpu.local", True),
        ("https://api.openai.com/v1", False),
        ("http://8.8.8.8", False),
        ("http://localhost.evil.example", False),
        ("http://[broken", False),
        ("", False),
    ],
)
def test_own_servers(address: str, own: bool) -> None:
    assert is_own_server(address) == own


def test_an_engine_of_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = plant(tmp_path / "data", {"models/m/model.json": {"engine": "Zebra"}})
    assert only(root).state == "broken"
    plant(
        tmp_path / "site",
        {
            "zebra-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: zebra\nVersion: 1\n",
            "zebra-1.dist-info/entry_points.txt": "[jan_jupyter.engines]\nzebra = zebra:Engine\n",
        },
    )
    monkeypatch.syspath_prepend(tmp_path / "site")
    model = only(root)
    assert (model.engine, model.state) == ("zebra", "ready")
    plant(root, {"engines/zebra.json": {"base_url": "http://z"}})
    assert ModelStore(root).engine_options(model).kind == "zebra"
