"""Other quantisations of a GGUF: the same model, its weights written in another type."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np

FILE_TYPES = {"F32": 0, "F16": 1, "Q4_0": 2, "Q8_0": 7, "Q5_0": 8}
_OWN = ("general.architecture", "general.file_type")


def write_quantised(
    source: Path, path: Path, kind: str, *, name: str | None = None, noise: float = 0.0
) -> Path:
    """The model of `source` with its matrices as `kind`; `name`: another one in its header;
    `noise`: so much of each matrix's spread is added to it, as coarser types would."""
    random = np.random.default_rng(0)
    reader = gguf.GGUFReader(source)
    architecture = str(reader.fields["general.architecture"].contents())
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_file_type(FILE_TYPES[kind])
    for key, field in reader.fields.items():
        if key.startswith("GGUF.") or key in _OWN:
            continue
        value = name if name is not None and key == "general.name" else field.contents()
        first, *more = field.types
        writer.add_key_value(key, value, first, more[-1] if more else None)
    wanted = gguf.GGMLQuantizationType[kind]
    for tensor in reader.tensors:
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        if values.ndim == 2:
            values += noise * values.std() * random.standard_normal(values.shape, np.float32)
            written = gguf.quants.quantize(values, wanted)
            writer.add_tensor(tensor.name, written, raw_dtype=wanted)
        else:
            writer.add_tensor(tensor.name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
