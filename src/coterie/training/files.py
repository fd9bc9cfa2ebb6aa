"""Files of a run: written whole or not at all, checked when read, never executed.

Array files are safetensors. Their header holds one metadata entry, ``coterie``: 64 hexadecimal digits, the SHA-256 of
the whole file with these digits as zeros; a space; and a JSON document with the format version. So any reader of
safetensors reads the arrays, and a changed or missing byte is noticed here.
"""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import safetensors
from jaxtyping import Array
from safetensors.numpy import save as _serialize

from coterie.contracts import CoterieError

FORMAT = 1
_BLANK = b"0" * 64
_MARK = b'"coterie":"'
_DTYPES = {
    "BOOL": np.bool_,
    "U8": np.uint8,
    "I8": np.int8,
    "U16": np.uint16,
    "I16": np.int16,
    "U32": np.uint32,
    "I32": np.int32,
    "U64": np.uint64,
    "I64": np.int64,
    "F16": np.float16,
    "BF16": jnp.bfloat16,
    "F32": np.float32,
    "F64": np.float64,
    "C64": np.complex64,
}


class DamagedFile(CoterieError):
    """A file of a run that is cut short or changed."""


def plain(value: Any) -> Any:
    """``value`` as what JSON can say, the same for equal input.

    Arrays become nested lists. A float16 or float32 becomes the shortest decimal that reads back to it in its own
    precision (0.1, not 0.10000000149011612). JSON has no word for NaN and infinities: they become null.

    Raises:
        CoterieError: A value of a type that JSON cannot say.
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    if type(value) is float:
        return value if math.isfinite(value) else None
    if not isinstance(value, np.ndarray | np.generic | Array):
        raise CoterieError(f"cannot write a {type(value).__name__} as JSON: give numbers, strings, lists or mappings")
    array = np.asarray(value)
    if array.ndim:
        return [plain(item) for item in array]
    if not np.issubdtype(array.dtype, np.floating) and array.dtype != jnp.bfloat16:
        return array.item()
    number = float(array) if array.dtype == np.float64 else float(str(array.astype(np.float32)))
    return number if math.isfinite(number) else None


def write_bytes(path: Path, data: bytes) -> None:
    """Put ``data`` at ``path`` atomically: whoever looks, and whenever a crash comes, sees the old file or the new.

    Raises:
        CoterieError: The disk is full or the place cannot be written; what was at ``path`` is as before.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        sync_directory(path.parent)
    except OSError as error:
        _remove(temporary)
        raise cannot_write(path, error) from error


def cannot_write(path: Path, error: OSError) -> CoterieError:
    """The one-line report of a write that the system refused."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return CoterieError(f"the disk is full, cannot write {path}: free some space; what was saved before is intact")
    reason = error.strerror or str(error)
    return CoterieError(f"cannot write {path}: {reason}; choose a place that can be written")


def sync_directory(directory: Path) -> None:
    """Make renames inside ``directory`` last through a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return  # the error that led here is the one to report


def write_json(path: Path | str, document: Any) -> None:
    """Write ``document`` atomically as indented JSON with sorted keys, the same bytes for the same content.

    Raises:
        CoterieError: It cannot be written, or holds something that JSON cannot say.
    """
    text = json.dumps(plain(document), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    write_bytes(Path(path), text.encode() + b"\n")


def read_json(path: Path | str) -> Any:
    """What ``write_json`` wrote.

    Raises:
        CoterieError: The file is missing or cannot be read; ``DamagedFile`` if it is not whole JSON.
    """
    try:
        return json.loads(_read(Path(path)))
    except ValueError as error:
        raise DamagedFile(f"{path} is damaged or half-written ({error}): restore it or make it anew") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise CoterieError(f"there is no file {path}: check the path, or make the run first") from None
    except OSError as error:
        raise CoterieError(f"cannot read {path}: {error.strerror}") from error


def save_arrays(path: Path | str, arrays: Mapping[str, Any], meta: Mapping[str, Any]) -> None:
    """Write named arrays and a JSON document atomically; the same content gives the same bytes.

    Raises:
        CoterieError: The disk is full or the place cannot be written; what was at ``path`` is as before.
    """
    document = json.dumps({"format": FORMAT, "meta": plain(meta)}, sort_keys=True)
    tensors = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    data = bytearray(_serialize(tensors, {"coterie": f"{_BLANK.decode()} {document}"}))
    start = data.index(_MARK) + len(_MARK)
    data[start : start + len(_BLANK)] = hashlib.sha256(data).hexdigest().encode()
    write_bytes(Path(path), bytes(data))


def load_arrays(path: Path | str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays and the document that ``save_arrays`` wrote.

    Raises:
        CoterieError: The file is missing, written by somebody else or by a newer version; ``DamagedFile`` if it is
            cut short or changed.
    """
    path = Path(path)
    data = _read(path)
    digest, document = _header(path, data)
    version = document.get("format")
    if not isinstance(version, int) or version > FORMAT:
        raise CoterieError(
            f"{path} has format {version} and this coterie reads up to {FORMAT}: upgrade, pip install -U coterie"
        )
    start = data.index(_MARK) + len(_MARK)
    if hashlib.sha256(data[:start] + _BLANK + data[start + len(_BLANK) :]).hexdigest() != digest:
        raise DamagedFile(f"{path} is damaged: its checksum does not fit; restore it or use an earlier one")
    try:
        tensors = safetensors.deserialize(data)
    except safetensors.SafetensorError as error:
        raise DamagedFile(f"{path} is damaged: {error}; restore it or use an earlier one") from error
    arrays = {
        name: np.frombuffer(tensor["data"], _DTYPES[tensor["dtype"]]).reshape(tensor["shape"])
        for name, tensor in tensors
    }
    return arrays, document["meta"]


def _header(path: Path, data: bytes) -> tuple[str, dict[str, Any]]:
    """Digest and document of an array file, with enough checks to tell a damaged file from a foreign one."""
    end = 8 + int.from_bytes(data[:8], "little")
    if len(data) < 8 or end > len(data):
        raise DamagedFile(f"{path} is damaged: it is cut short at {len(data)} bytes; restore it or use an earlier one")
    try:
        metadata = json.loads(data[8:end]).get("__metadata__", {})
        entry = metadata.get("coterie")
        if entry is None:
            raise CoterieError(f"{path} was not written by coterie: expected a file of a run directory")
        digest, _, document = entry.partition(" ")
        return digest, json.loads(document)
    except (ValueError, AttributeError) as error:
        raise DamagedFile(f"{path} is damaged: its header cannot be read; restore it or use an earlier one") from error
