"""Which of our environment variables other processes get: those that are known to be no secrets.

A list of what is held back could never be whole (`DATABASE_URL`, `SLACK_WEBHOOK` …).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ...redaction import is_secret_name

_SYSTEM = (
    "PATH|HOME|USER|LOGNAME|SHELL|PWD|LANG|LANGUAGE|LC_.*|TZ|TERM|TMPDIR|TEMP|TMP|XDG_.*"
    "|SSL_CERT_.*|LD_LIBRARY_PATH|LD_PRELOAD|LIBRARY_PATH|DYLD_.*|MALLOC_.*|GLIBC_TUNABLES"
    # Windows starts nothing without the first of these.
    "|SYSTEMROOT|WINDIR|SYSTEMDRIVE|COMSPEC|PATHEXT|OS|USERNAME|USERPROFILE|HOMEDRIVE|HOMEPATH"
    "|APPDATA|LOCALAPPDATA|PROGRAMDATA|ALLUSERSPROFILE|PUBLIC|(COMMON)?PROGRAM(FILES|W6432).*"
    "|COMMONPROGRAMW6432|NUMBER_OF_PROCESSORS|PROCESSOR_.*"
)
_PYTHON = "PYTHON.*|VIRTUAL_ENV|CONDA_PREFIX|CONDA_DEFAULT_ENV|COVERAGE_.*|COV_CORE_.*|JAN_.*"
_DEVICES = (
    "CUDA.*|CUDNN_.*|NVIDIA_.*|NCCL_.*|HIP_.*|HSA_.*|ROCR_.*|ROCM_.*|AMD_.*|GPU_.*|VK_.*|MESA_.*"
    "|METAL_.*|MTL_.*|OCL_.*|OPENCL_.*|SYCL_.*|ONEAPI_.*|ZE_.*|ZES_.*|UR_.*|INTEL_.*|CMPLR_ROOT"
)
_LIBRARIES = (
    "GGML_.*|LLAMA_.*|OMP_.*|GOMP_.*|KMP_.*|MKL.*|OPENBLAS_.*|BLIS_.*|VECLIB_.*|NUMEXPR_.*|TBB.*"
    "|ONEDNN_.*|DNNL_.*|CCL_.*|FI_PROVIDER_PATH|I_MPI_.*|OV_.*|OPENVINO_.*|TORCH.*|PYTORCH_.*"
    "|IPEX_.*|BIGDL_.*|TOKENIZERS_.*|TRANSFORMERS_.*|HF_HOME|HF_HUB_CACHE|HF_HUB_OFFLINE"
)
_INSTALLING = (
    "((HTTPS?|ALL|NO)_PROXY)|PIP_.*|UV_.*|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|GIT_SSL_.*|CC|CXX|AR|LD"
    "|CFLAGS|CXXFLAGS|CPPFLAGS|LDFLAGS|CMAKE_.*|FORCE_CMAKE|MAKEFLAGS|NINJA.*|PKG_CONFIG_PATH|CPATH"
    r"|SDKROOT|MACOSX_DEPLOYMENT_TARGET|INCLUDE|LIB|LIBPATH|VS\d+COMNTOOLS|V[SC]INSTALLDIR|VCTOOLS.*|WINDOWSSDK.*"
)
_OF_WORKERS = re.compile("|".join((_SYSTEM, _PYTHON, _DEVICES, _LIBRARIES)), re.IGNORECASE)
_OF_INSTALLERS = re.compile(f"{_OF_WORKERS.pattern}|{_INSTALLING}", re.IGNORECASE)


def environment(own: Mapping[str, str]) -> dict[str, str]:
    """What a worker gets: it runs models and reaches nothing else."""
    return _taken(own, _OF_WORKERS)


def of_installer(own: Mapping[str, str]) -> dict[str, str]:
    """What an installer gets: also its own settings, compilers, and the way to the network."""
    return _taken(own, _OF_INSTALLERS)


def _taken(own: Mapping[str, str], names: re.Pattern[str]) -> dict[str, str]:
    return {k: v for k, v in own.items() if names.fullmatch(k) and not is_secret_name(k)}
