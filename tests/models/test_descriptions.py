"""What the fields of a description become."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jan_jupyter.models import Model, ModelStore
from jan_jupyter.models.summary import reasons, sees

from .trees import STUB, gguf_bytes, models, only, plant


def described(tmp_path: Path, **fields: Any) -> Model:
    """The model of a `model.json` in the folder `m`."""
    return only(plant(tmp_path, {"models/m/model.json": fields}))


def written(tmp_path: Path, text: str) -> Model:
    """The model of a cortex `model.yml` in the folder `m`."""
    return only(plant(tmp_path, {"models/m/model.yml": text}))


def warned(model: Model, *words: str) -> bool:
    return any(all(word in warning for word in words) for warning in model.warnings)


# model.json -------------------------------------------------------------------------------------


def test_an_empty_object_is_a_model_with_defaults(tmp_path: Path) -> None:
    model = described(tmp_path)
    assert (model.id, model.name, model.engine, model.version) == ("m", "m", "nitro", "1.0")
    assert (model.format, model.description, model.created) == ("gguf", "", None)
    assert (model.settings, model.parameters, model.metadata) == ({}, {}, {})
    assert (model.state, model.warnings) == ("not-downloaded", ())


@pytest.mark.parametrize("content", ["[]", "1", '"x"', "null", "{", "", '[{"id": "a"}]'])
def test_what_is_no_object_is_broken(tmp_path: Path, content: str) -> None:
    model = only(plant(tmp_path, {"models/m/model.json": content}))
    assert (model.id, model.state) == ("m", "broken")
    assert "model.json, line 1" in model.reason


@pytest.mark.parametrize("value", [1, 1.0, "1.0", "1,0", "2024-01-01"])
def test_version_is_text(tmp_path: Path, value: Any) -> None:
    assert described(tmp_path, version=value).version == str(value)


def test_top_level_fields(tmp_path: Path) -> None:
    model = described(
        tmp_path,
        id="m",
        name="",
        object="thing",
        format="api",
        created="1708308111506",
        description="N/A",
        state="running",
        metadata={"size": "7", "tags": "one", "author": None, "cover": "", "mine": [1]},
    )
    assert model.name == "m"
    assert model.created == 1708308111.506
    assert model.description == ""
    assert model.state == "not-downloaded"
    assert model.metadata == {"size": 7, "tags": ["one"], "mine": [1]}
    assert warned(model, "object", "thing")
    assert model.raw["state"] == "running"


@pytest.mark.parametrize(
    ("created", "seconds"), [(1e11, 1e11), (2e11, 2e8), (0, None), (1700000000, 1.7e9)]
)
def test_created_is_seconds_or_milliseconds(tmp_path: Path, created: Any, seconds: Any) -> None:
    assert described(tmp_path, created=created).created == seconds


@pytest.mark.parametrize("value", [[], "x", 3, True])
def test_an_object_that_is_none_counts_as_empty(tmp_path: Path, value: Any) -> None:
    model = described(tmp_path, settings=value, parameters=value, metadata=value)
    assert (model.settings, model.parameters, model.metadata) == ({}, {}, {})
    assert warned(model, "settings", "not an object")


def test_zero_means_absent_only_where_it_is_said(tmp_path: Path) -> None:
    zeros = dict.fromkeys(["ctx_len", "ngl", "cpu_threads", "n_parallel"], 0)
    model = described(tmp_path, settings=zeros, parameters={"temperature": 0, "max_tokens": 0})
    assert model.settings == {"ngl": 0}
    assert model.parameters == {"temperature": 0}
    assert model.warnings == ()


def test_a_value_that_does_not_fit_is_told_and_absent(tmp_path: Path) -> None:
    model = described(
        tmp_path,
        settings={"ctx_len": "lots", "ngl": 3.5, "embedding": "maybe", "mine": {"a": 1}},
        parameters={
            "temperature": 2.01,
            "top_k": 40,
            "top_p": "0.5",
            "seed": [],
            "stream": "False",
        },
    )
    assert model.settings == {"mine": {"a": 1}}
    assert model.parameters == {"top_k": 40, "top_p": 0.5, "stream": False}
    for name in ("ctx_len", "ngl", "embedding", "temperature", "seed"):
        assert warned(model, name)


def test_old_names(tmp_path: Path) -> None:
    model = described(
        tmp_path,
        settings={"visionModel": True, "textModel": "false", "text_model": True},
        parameters={"token_limit": 5},
    )
    assert model.settings == {"vision_model": True, "text_model": True}
    assert model.parameters == {"max_tokens": 5}
    newer = {"token_limit": 5, "max_tokens": 6}
    assert described(tmp_path, parameters=newer).parameters == {"max_tokens": 6}


def test_values_in_the_wrong_place_are_moved(tmp_path: Path) -> None:
    model = described(
        tmp_path,
        settings={"temperature": 0.1, "stop": "A", "engine": "groq"},
        parameters={"temperature": 0.2, "ctx_len": 9, "engine": "openai"},
    )
    assert model.parameters == {"temperature": 0.2, "stop": ["A"]}
    assert model.settings == {"ctx_len": 9}
    assert model.engine == "groq"
    assert warned(model, "stop", "parameters")
    assert not warned(model, "temperature")
    assert described(tmp_path, engine="OpenAI", settings={"engine": "groq"}).engine == "openai"


@pytest.mark.parametrize(
    ("stop", "words"),
    [(None, ["Z"]), ("A", ["A", "Z"]), (["A", "", None], ["A", "Z"]), (["Z"], ["Z"]), ([], ["Z"])],
)
def test_stop_word_is_one_more(tmp_path: Path, stop: Any, words: list[str]) -> None:
    model = described(tmp_path, settings={"stop_word": "Z"}, parameters={"stop": stop})
    assert (model.settings, model.parameters) == ({}, {"stop": words})


def test_other_names_of_settings_and_parameters(tmp_path: Path) -> None:
    model = described(tmp_path, inference_params={"seed": 1}, engine_parameters={"ngl": 2})
    assert (model.settings, model.parameters) == ({"ngl": 2}, {"seed": 1})
    model = described(tmp_path, parameters={"seed": 3}, model_parameters={"seed": 4})
    assert model.parameters == {"seed": 3}
    assert described(tmp_path, model_parameters={"seed": 4}).parameters == {"seed": 4}


@pytest.mark.parametrize("template", ["", "no place", "{prompt}{system_message}"])
def test_an_unusable_template_is_dropped_with_a_warning(tmp_path: Path, template: str) -> None:
    model = described(tmp_path, settings={"prompt_template": template})
    assert "prompt_template" not in model.settings
    assert warned(model, "prompt_template", "GGUF")


def test_keys_have_no_place_in_a_model(tmp_path: Path) -> None:
    model = described(
        tmp_path, settings={"api_key": "sk-secret"}, parameters={"api_key": "sk-secret"}
    )
    assert "sk-secret" not in repr(model)


# Sources ----------------------------------------------------------------------------------------

HF = "https://huggingface.co/o/r"


@pytest.mark.parametrize(
    ("fields", "source"),
    [
        (
            {"source_url": f"{HF}/blob/main/a%20b.gguf"},
            (f"{HF}/resolve/main/a%20b.gguf", "a b.gguf"),
        ),
        ({"source_url": "hf://o/r/x.gguf"}, ("hf://o/r/x.gguf", "x.gguf")),
        ({"source": "HTTP://h/x.gguf?a=/b#c"}, ("HTTP://h/x.gguf?a=/b#c", "x.gguf")),
        ({"source": [{"url": "http://h/x", "filename": "y"}]}, ("http://h/x", "y")),
        ({"sources": {"url": "http://h/x"}}, ("http://h/x", "x")),
        ({"sources": ["http://h/x"]}, ("http://h/x", "x")),
        ({"assets": ["http://h/x"]}, ("http://h/x", "x")),
        ({"sources": [{"url": "http://h/1"}], "source_url": "http://h/2"}, ("http://h/1", "1")),
        ({"sources": "", "source_url": "http://h/2"}, ("http://h/2", "2")),
    ],
)
def test_addresses(tmp_path: Path, fields: dict[str, Any], source: tuple[str, str]) -> None:
    (found,) = described(tmp_path, **fields).sources
    assert (found["url"], found["filename"]) == source


@pytest.mark.parametrize("url", ["", "N/A", None, [], 7.5, {"a": 1}])
def test_what_is_no_source(tmp_path: Path, url: Any) -> None:
    model = described(tmp_path, sources=[{"url": url}, None, "N/A"])
    assert all("url" not in source for source in model.sources)


def test_a_path_below_all_models(tmp_path: Path) -> None:
    tree = {"models/m/model.json": {"sources": [{"url": "models://o/y.gguf"}]}}
    model = ModelStore(plant(tmp_path, {**tree, "models/o/y.gguf": STUB})).get("m")
    assert model.file == tmp_path / "models/o/y.gguf"


@pytest.mark.parametrize("url", ["files://C:/m/x.gguf", "file:///C:/m/x.gguf", "C:\\m\\x.gguf"])
def test_a_path_of_windows_is_told_as_it_stands(tmp_path: Path, url: str) -> None:
    model = described(tmp_path, sources=[{"url": url}])
    path = url.split("://")[-1].lstrip("/")
    assert (model.state, model.reason) == ("missing-file", f"{path} is not there")


def test_the_bounds_of_a_slider_are_no_parameters(tmp_path: Path) -> None:
    given = {"max_temperature": 1, "min_top_p": 0, "max_tokens": 9, "min_p": 0.1, "min_tokens": 2}
    model = described(tmp_path, engine="openai", parameters=given)
    assert model.parameters == {"max_tokens": 9, "min_p": 0.1, "min_tokens": 2}


@pytest.mark.parametrize("start", ["", "file://", "files://", "FILE://"])
def test_paths(tmp_path: Path, start: str) -> None:
    outside = plant(tmp_path / "else", {"x.gguf": STUB}) / "x.gguf"
    model = only(
        plant(tmp_path / "d", {"models/m/model.json": {"source_url": f"{start}{outside}"}})
    )
    assert (model.file, model.state) == (outside, "ready")
    outside.unlink()
    model = only(tmp_path / "d")
    assert (model.file, model.state) == (None, "missing-file")
    assert str(outside) in model.reason


# model.yml --------------------------------------------------------------------------------------


def test_flat_yaml_is_sorted_into_settings_and_parameters(tmp_path: Path) -> None:
    model = written(
        tmp_path,
        "model: a:b\nname: A\nversion: 2\nengine: cortex.llamacpp\nctx_len: 0\nn_parallels: 3\n"
        "ngl: 1\ntop_p: 0.5\nmirostat: 2\nstop: END\nsize: 9\nos: linux\nunknown: 1\n",
    )
    assert (model.id, model.name, model.version, model.engine) == ("a:b", "A", "2", "nitro")
    assert model.settings == {"n_parallel": 3, "ngl": 1}
    assert model.parameters == {"top_p": 0.5, "mirostat": 2, "stop": ["END"]}
    assert model.metadata == {"size": 9, "os": "linux"}
    assert model.raw["unknown"] == 1


def test_remote_yaml(tmp_path: Path) -> None:
    model = written(tmp_path, "model: m\nengine: ollama\ninference_params:\n  top_p: '0.5'\n")
    assert (model.engine, model.state, model.parameters) == ("ollama", "ready", {"top_p": 0.5})


def test_a_plain_scalar_does_not_know_escapes(tmp_path: Path) -> None:
    model = written(tmp_path, r"prompt_template: <u>\n{prompt}\n<a>")
    assert model.settings["prompt_template"] == "<u>\n{prompt}\n<a>"
    assert warned(model, "prompt_template", "escapes")
    model = written(tmp_path, r'prompt_template: "<u>\n{prompt}"')
    assert model.settings["prompt_template"] == "<u>\n{prompt}"
    assert model.warnings == ()


def test_files_of_cortex(tmp_path: Path) -> None:
    yml = "models/cortex.so/a/b/model.yml"
    root = plant(tmp_path, {yml: "files: [models/cortex.so/a/b/x.gguf]\nmodel: a:b\n"})
    assert only(root).state == "missing-file"
    plant(root, {"models/cortex.so/a/b/x.gguf": STUB})
    assert only(root).file == root / "models/cortex.so/a/b/x.gguf"
    plant(root, {yml: "model: a:b", "models/cortex.so/a/b/mmproj.gguf": STUB})
    assert only(root).state == "not-downloaded"
    plant(root, {"models/cortex.so/a/b/model.gguf": STUB})
    assert only(root).file == root / "models/cortex.so/a/b/model.gguf"
    assert only(root).projector == root / "models/cortex.so/a/b/mmproj.gguf"
    assert only(root).warnings == ()
    plant(root, {yml: f"sources: ['{tmp_path}/models/cortex.so/a/b/x.gguf']\nmodel: a:b\n"})
    assert only(root).file == root / "models/cortex.so/a/b/x.gguf"


def test_a_flat_yml_does_not_take_its_neighbours_file(tmp_path: Path) -> None:
    root = plant(tmp_path, {"models/a.yml": "model: a", "models/other.gguf": STUB})
    assert (only(root).file, only(root).state) == (None, "not-downloaded")


def test_yml_of_todays_jan(tmp_path: Path) -> None:
    yml = "llamacpp/models/o/m/model.yml"
    text = (
        "model_path: llamacpp/models/o/m/weights.gguf\nmmproj_path: other/p.gguf\nname: N\n"
        "size_bytes: 5\nctx_size: 77\nn_gpu_layers: 3\nchat_template: '{{ x }}'\ntop_k: 7\n"
        "engine: openai\n"
    )
    root = plant(
        tmp_path, {yml: text, "llamacpp/models/o/m/model.gguf": STUB, "other/p.gguf": STUB}
    )
    model = only(root)
    assert (model.id, model.name, model.engine, model.source) == ("o/m", "N", "nitro", "llamacpp")
    assert model.settings == {
        "ctx_len": 77,
        "ngl": 3,
        "chat_template": "{{ x }}",
        "mmproj": str(root / "other/p.gguf"),
    }
    assert (model.parameters, model.metadata) == ({"top_k": 7}, {"size": 5})
    assert model.file == root / "llamacpp/models/o/m/model.gguf"
    assert model.projector == root / "other/p.gguf"
    plant(root, {"llamacpp/models/o/m/weights.gguf": STUB})
    assert only(root).file == root / "llamacpp/models/o/m/weights.gguf"


def test_a_yml_of_todays_jan_needs_a_path(tmp_path: Path) -> None:
    model = only(plant(tmp_path, {"llamacpp/models/m/model.yml": "name: x\n"}))
    assert model.state == "broken"
    assert "model_path" in model.reason


def test_mlx_is_listed_but_not_supported(tmp_path: Path) -> None:
    model = only(plant(tmp_path, {"mlx/models/m/model.yml": "model_path: x.gguf\n"}))
    assert (model.engine, model.source, model.state) == ("mlx", "mlx", "broken")


@pytest.mark.parametrize("text", ["- a", "text", "", "a: [", "!!python/name:os.system x"])
def test_yaml_that_is_no_mapping_is_broken(tmp_path: Path, text: str) -> None:
    for path in ("models/m/model.yml", "llamacpp/models/m/model.yml"):
        root = plant(tmp_path / path.split("/")[0], {path: text})
        assert only(root).state == "broken"
        assert "model.yml, line 1" in only(root).reason


def test_a_preset_is_no_model(tmp_path: Path) -> None:
    preset = "version: 1.0\nprompt_template: '{prompt}'\nctx_len: 5\n"
    assert models(plant(tmp_path, {"presets/a.yml": preset, "models/presets/b.yml": preset})) == {}


# Lists ------------------------------------------------------------------------------------------


def test_a_list_of_remote_models(tmp_path: Path) -> None:
    entries = [
        {"id": "a", "engine": "ollama", "inference_params": {"seed": 1}},
        {"model": "b", "name": "B"},
        "c",
        {"name": "nameless"},
        7,
    ]
    found = models(plant(tmp_path, {"engine-models/ollama.json": entries}))
    assert [found[name].state for name in "abc"] == ["ready"] * 3
    assert found["a"].parameters == {"seed": 1}
    assert (found["b"].name, found["b"].engine) == ("B", "ollama")
    broken = [model for model in found.values() if model.state == "broken"]
    assert len(broken) == 2
    assert "entry 3" in broken[0].reason


def test_a_provider_brings_its_models(tmp_path: Path) -> None:
    provider = {
        "provider": "ollama",
        "active": True,
        "base_url": "http://localhost:1/v1",
        "models": [{"id": "q", "name": "Q", "capabilities": ["vision"]}],
    }
    model = only(plant(tmp_path, {"engines/ollama.json": provider}))
    assert (model.id, model.engine, model.state) == ("q", "ollama", "ready")
    assert model.metadata == {"capabilities": ["vision"]}


@pytest.mark.parametrize(
    ("said", "template", "can"),
    [
        ({}, "", ""),
        ({}, "{{ messages }}", ""),
        ({"capabilities": ["completion", "tools"]}, "", ""),
        ({"capabilities": ["Reasoning", "vision"]}, "", "reasons sees"),
        ({"metadata": {"tags": ["7B", "Vision"]}}, "", "sees"),
        ({"capabilities": {"a": 1}}, "", ""),
        ({}, "{% if enable_thinking %}<think>{% endif %}", "reasons"),
        ({}, "{{ reasoning_effort }}", "reasons"),
        ({"settings": {"chat_template": "{{ messages }}"}}, "<think>", ""),
        ({"settings": {"prompt_template": "{prompt}<think>"}}, "", "reasons"),
    ],
)
def test_what_a_model_can_is_told_by_its_description_or_its_file(
    tmp_path: Path, said: dict[str, Any], template: str, can: str
) -> None:
    file = gguf_bytes({"tokenizer.chat_template": template, "general.file_type": 7})
    plant(tmp_path, {"models/m/model.json": {"id": "m", **said}, "models/m/m.gguf": file})
    store = ModelStore(tmp_path)
    (model,) = store.list()
    assert reasons(model, store.template(model)) == ("reasons" in can)
    assert sees(model) == ("sees" in can)


def test_a_list_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    root = plant(
        tmp_path, {"engine-models/x.json": "[{", "models/other.json": "{", "engines/y.json": "["}
    )
    model = only(root)
    assert (model.state, model.source) == ("broken", "remote-list")


# Anything ---------------------------------------------------------------------------------------

NAMES = st.sampled_from(
    [
        *("id", "name", "version", "engine", "created", "metadata", "model", "files", "mmproj"),
        *("settings", "parameters", "ctx_len", "temperature", "stop", "prompt_template"),
        *("sources", "source_url", "url", "filename", "llama_model_path"),
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=3), inner),
    max_leaves=10,
)


@settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60
)
@given(st.dictionaries(NAMES, VALUES))
def test_no_description_hides_or_breaks_another(tmp_path: Path, raw: dict[str, Any]) -> None:
    root = plant(
        tmp_path,
        {
            "models/odd/model.json": json.dumps(raw),
            "models/odd2/model.yml": json.dumps(raw),
            "llamacpp/models/odd3/model.yml": json.dumps(raw),
            "engine-models/odd4.json": json.dumps([raw]),
            "models/good/model.json": {"id": "good"},
            "models/good/x.gguf": STUB,
        },
    )
    found = models(root)
    assert found["good"].state == "ready" or "good" in str(raw)
    paths = {model.path.parent.name for model in found.values()}
    assert paths == {"odd", "odd2", "odd3", "engine-models", "good"}
    for model in found.values():
        # A crash inside would show as the name of an exception.
        assert "Error:" not in model.reason, model.reason
        repr(model)
