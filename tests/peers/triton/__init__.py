"""Triton Inference Server, with models that have the tensors of TensorRT-LLM's."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path

from peers.llama_cpp import LlamaCpp
from peers.process import HOST, KEY, Peer, environment_of, free_port

MODEL = Path(__file__).with_name("model.py")

# (name, data type, dimensions) of what TensorRT-LLM's `config.pbtxt` files declare, those about
# adapters, embeddings, logits and guided decoding left out; all but `REQUIRED` are optional.
CLASSIC = (
    ("text_input", "STRING", 1),
    ("max_tokens", "INT32", 1),
    ("num_return_sequences", "INT32", 1),
    ("bad_words", "STRING", -1),
    ("stop_words", "STRING", -1),
    ("exclude_input_in_output", "BOOL", 1),
    ("end_id", "INT32", 1),
    ("pad_id", "INT32", 1),
    ("top_k", "INT32", 1),
    ("top_p", "FP32", 1),
    ("temperature", "FP32", 1),
    ("length_penalty", "FP32", 1),
    ("repetition_penalty", "FP32", 1),
    ("min_tokens", "INT32", 1),
    ("presence_penalty", "FP32", 1),
    ("frequency_penalty", "FP32", 1),
    ("seed", "UINT64", 1),
    ("return_log_probs", "BOOL", 1),
    ("return_num_input_tokens", "BOOL", 1),
    ("return_num_output_tokens", "BOOL", 1),
    ("beam_width", "INT32", 1),
    ("stream", "BOOL", 1),
)
CLASSIC_OUTPUTS = (
    ("text_output", "STRING", -1),
    ("cum_log_probs", "FP32", -1),
    ("num_input_tokens", "INT32", 1),
    ("num_output_tokens", "INT32", 1),
)
LLMAPI = (
    ("text_input", "STRING", -1),
    ("streaming", "BOOL", 1),
    ("sampling_param_best_of", "INT32", 1),
    ("sampling_param_temperature", "FP32", 1),
    ("sampling_param_top_k", "INT32", 1),
    ("sampling_param_top_p", "FP32", 1),
    ("sampling_param_frequency_penalty", "FP32", 1),
    ("sampling_param_presence_penalty", "FP32", 1),
    ("sampling_param_max_tokens", "INT32", 1),
    ("sampling_param_stop", "STRING", -1),
    ("sampling_param_seed", "UINT64", 1),
    ("sampling_param_exclude_input_from_output", "BOOL", 1),
    ("sampling_param_return_perf_metrics", "BOOL", 1),
    ("return_finish_reason", "BOOL", 1),
    ("return_stop_reason", "BOOL", 1),
    ("return_cumulative_logprob", "BOOL", 1),
    ("stop", "BOOL", 1),
)
LLMAPI_OUTPUTS = (
    ("text_output", "STRING", -1),
    ("finish_reason", "STRING", -1),
    ("stop_reason", "STRING", -1),
    ("cumulative_logprob", "FP32", -1),
)
REQUIRED = ("text_input", "max_tokens")

# model -> (vocabulary, whether it may answer in several pieces, more parameters)
MODELS: Mapping[str, tuple[str, bool, Mapping[str, str]]] = {
    "ensemble": ("classic", True, {}),
    "tensorrt_llm_bls": ("classic", True, {"accumulate_tokens": "true"}),
    "tensorrt_llm": ("llmapi", True, {}),
    "coupled": ("classic", False, {}),
    "fails_first": ("classic", True, {"fail_after": "0"}),
    "fails_later": ("classic", True, {"fail_after": "3"}),
    "narrow": ("classic", False, {"queue": "1"}),
}


class Triton(Peer):
    """The real server, from `nvidia-pytriton`, with `MODELS` that answer as jan-mini does.

    `key` must come in the header `api-key`, by Triton's "restricted API". `narrow` answers one
    request at a time and lets few wait.
    """

    name = "triton"
    ready_path = "/v2/health/ready"

    def __init__(self, folder: Path, model: LlamaCpp, key: str = KEY) -> None:
        super().__init__(folder)
        self.model, self.key = model, key
        self.grpc_port = 0

    def command(self) -> Sequence[str]:
        repository, backends = self.folder / "models", self.folder / "backends"
        for name, (vocabulary, decoupled, parameters) in MODELS.items():
            folder = repository / name
            (folder / "1").mkdir(parents=True, exist_ok=True)
            shutil.copy(MODEL, folder / "1")
            config = config_of(name, vocabulary, decoupled, parameters)
            (folder / "config.pbtxt").write_text(config, "utf-8")
        self.grpc_port = free_port()
        server = self._packages() / "pytriton/tritonserver"
        # The backend as it comes, and beside it the stub for our Python, where it looks for it.
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        stub = server / "python_backend_stubs" / version / "triton_python_backend_stub"
        (backends / "python").mkdir(parents=True, exist_ok=True)
        for file in (*(server / "backends/python").iterdir(), stub):
            link = backends / "python" / file.name
            link.unlink(missing_ok=True)
            link.symlink_to(file)
        return [
            str(server / "bin/tritonserver"),
            f"--model-repository={repository}",
            f"--backend-directory={backends}",
            f"--http-address={HOST}",
            f"--http-port={self.port}",
            f"--grpc-address={HOST}",
            f"--grpc-port={self.grpc_port}",
            "--allow-metrics=false",
            "--exit-timeout-secs=5",
            "--disable-auto-complete-config",
            f"--http-restricted-api=inference:api-key={self.key}",
            f"--grpc-restricted-protocol=inference:api-key={self.key}",
        ]

    def environment(self) -> Mapping[str, str]:
        packages = self._packages()
        environment = environment_of("light")
        libraries = [packages / "nvidia_pytriton.libs", Path(sysconfig.get_config_var("LIBDIR"))]
        return {
            "LD_LIBRARY_PATH": os.pathsep.join(map(str, libraries)),
            "PATH": f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(packages),
            "LLAMA_CPP_URL": self.model.url,
            "LLAMA_CPP_KEY": self.model.key,
        }

    def _packages(self) -> Path:
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        return environment_of("light") / "lib" / version / "site-packages"


def config_of(name: str, vocabulary: str, decoupled: bool, parameters: Mapping[str, str]) -> str:
    """The `config.pbtxt` of a model."""
    inputs, outputs = {
        "classic": (CLASSIC, CLASSIC_OUTPUTS),
        "llmapi": (LLMAPI, LLMAPI_OUTPUTS),
    }[vocabulary]
    queue = ""
    if waiting := parameters.get("queue"):
        queue = f"dynamic_batching {{ default_queue_policy {{ max_queue_size: {waiting} }} }}"
    parts = [
        f'name: "{name}"',
        'backend: "python"',
        f"max_batch_size: {8 if vocabulary == 'classic' else 0}",
        f"model_transaction_policy {{ decoupled: {str(decoupled).lower()} }}",
        "instance_group [ { count: 1 kind: KIND_CPU } ]",
        queue,
    ]
    for tensor, kind, size in inputs:
        optional = "" if tensor in REQUIRED else " optional: true"
        parts.append(
            f'input {{ name: "{tensor}" data_type: TYPE_{kind} dims: [ {size} ]{optional} }}'
        )
    for tensor, kind, size in outputs:
        parts.append(f'output {{ name: "{tensor}" data_type: TYPE_{kind} dims: [ {size} ] }}')
    for key, value in {"vocabulary": vocabulary, **parameters}.items():
        parts.append(f'parameters {{ key: "{key}" value: {{ string_value: "{value}" }} }}')
    return "\n".join([*parts, ""])
