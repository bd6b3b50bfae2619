"""A kernel of a language that is not Python, as R's is one; Jupyter starts it as a program."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelbase import Kernel


class Other(Kernel):  # type: ignore[misc]  # ipykernel has no types
    implementation = "other"
    implementation_version = "1"
    banner = "Another language"
    language_info = {  # noqa: RUF012  # as ipykernel has it
        "name": "R",
        "mimetype": "text/x-r-source",
        "file_extension": ".r",
    }

    async def do_execute(self, code: str, *_args: Any, **_options: Any) -> dict[str, Any]:
        """Every cell fails, as one of R would."""
        error = {
            "ename": "ERROR",
            "evalue": f"object '{code.strip()}' not found",
            "traceback": [f"Error: object '{code.strip()}' not found\nTraceback:\n"],
        }
        self.send_response(self.iopub_socket, "error", error)
        return {"status": "error", "execution_count": self.execution_count, **error}


def install(data: Path, name: str = "other") -> None:
    """Let a Jupyter with that data folder know it."""
    folder = data / "kernels" / name
    folder.mkdir(parents=True)
    argv = [sys.executable, __file__, "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "Other", "language": "R"}
    (folder / "kernel.json").write_text(json.dumps(spec))


if __name__ == "__main__":
    IPKernelApp.launch_instance(kernel_class=Other)
