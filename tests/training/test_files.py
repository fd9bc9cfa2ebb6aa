"""Files of a run: whole or absent, checked when read."""

import errno
import json
import os

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open

from coterie.contracts import CoterieError
from coterie.training import files
from coterie.training.files import DamagedFile, load_arrays, plain, read_json, save_arrays, write_json

ARRAYS = {
    "bool": np.array([True, False, True]),
    "uint8": np.arange(4, dtype=np.uint8).reshape(2, 2),
    "uint32": np.array(4_000_000_000, np.uint32),
    "int32": np.array([[-1], [2]], np.int32),
    "float16": np.array([0.5], np.float16),
    "bfloat16": np.asarray(jnp.array([1.5, -2.0], jnp.bfloat16)),
    "float32": np.array([np.nan, -0.0, np.inf, 1e-45], np.float32),
    "float64": np.array(1 / 3),
    "empty": np.zeros((0, 3), np.float32),
}


def one_line(error) -> bool:
    return "\n" not in str(error.value)


def test_arrays_come_back_bit_for_bit(tmp_path):
    path = tmp_path / "new" / "policies.safetensors"
    save_arrays(path, ARRAYS, {"agents": ["a", "b"], "share": np.float32(0.1)})
    arrays, meta = load_arrays(path)
    assert meta == {"agents": ["a", "b"], "share": 0.1}
    assert set(arrays) == set(ARRAYS)
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype and arrays[name].shape == array.shape
        assert arrays[name].tobytes() == array.tobytes()


def test_equal_content_gives_equal_bytes(tmp_path):
    save_arrays(tmp_path / "a", ARRAYS, {"x": 1, "y": 2})
    save_arrays(tmp_path / "b", dict(reversed(ARRAYS.items())), {"y": 2, "x": 1})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_any_reader_of_safetensors_reads_the_arrays(tmp_path):
    save_arrays(tmp_path / "a", {"w": np.arange(3.0)}, {})
    with safe_open(tmp_path / "a", "numpy") as file:
        assert file.get_tensor("w").tolist() == [0.0, 1.0, 2.0]


def test_every_changed_byte_and_every_cut_is_noticed(tmp_path):
    path = tmp_path / "a"
    save_arrays(path, {"w": np.arange(6, dtype=np.float32), "b": np.array([True])}, {"step": 7})
    good = path.read_bytes()
    for place in range(len(good)):
        path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        with pytest.raises(CoterieError) as error:
            load_arrays(path)
        assert one_line(error)
    for length in range(len(good)):
        path.write_bytes(good[:length])
        with pytest.raises(DamagedFile):
            load_arrays(path)


def test_a_foreign_file_and_a_missing_one(tmp_path):
    from safetensors.numpy import save_file

    save_file({"w": np.zeros(2)}, tmp_path / "foreign")
    with pytest.raises(CoterieError, match="not written by coterie"):
        load_arrays(tmp_path / "foreign")
    with pytest.raises(CoterieError, match="there is no file"):
        load_arrays(tmp_path / "missing")
    with pytest.raises(CoterieError, match="cannot read"):
        load_arrays(tmp_path)


def test_a_newer_format_asks_for_an_upgrade(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "FORMAT", 2)
    save_arrays(tmp_path / "a", {"w": np.zeros(2)}, {})
    monkeypatch.undo()
    with pytest.raises(CoterieError, match="format 2 .* upgrade") as error:
        load_arrays(tmp_path / "a")
    assert not isinstance(error.value, DamagedFile)


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("number, words", [(errno.ENOSPC, "disk is full"), (errno.EACCES, "cannot write")])
def test_a_refused_write_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch, call, number, words):
    path = tmp_path / "run.json"
    write_json(path, {"a": 1})

    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(files.os, call, refuse)
    with pytest.raises(CoterieError, match=words) as error:
        write_json(path, {"a": 2})
    assert one_line(error)
    assert read_json(path) == {"a": 1}
    assert os.listdir(tmp_path) == ["run.json"]


def test_json_half_written_or_missing_is_one_line(tmp_path):
    write_json(tmp_path / "a.json", {"é": [1, 2.5, None, True], "path": tmp_path})
    assert read_json(tmp_path / "a.json") == {"é": [1, 2.5, None, True], "path": str(tmp_path)}
    (tmp_path / "a.json").write_text('{"a": [1,\n 2')
    with pytest.raises(DamagedFile, match="half-written") as error:
        read_json(tmp_path / "a.json")
    assert one_line(error)
    with pytest.raises(CoterieError, match="there is no file"):
        read_json(tmp_path / "b.json")


def test_plain_values_by_hand():
    assert plain(np.float32(0.1)) == 0.1
    assert plain(jnp.array([0.1, jnp.nan, -jnp.inf], jnp.float32)) == [0.1, None, None]
    assert plain({"k": (1, np.int64(2), np.bool_(True)), 3: np.array(0.25)}) == {"k": [1, 2, True], "3": 0.25}
    assert type(plain(np.int32(2))) is int and type(plain(np.bool_(False))) is bool
    assert plain(jnp.array(1.5, jnp.bfloat16)) == 1.5
    assert plain(float("nan")) is None
    with pytest.raises(CoterieError, match="cannot write a function as JSON"):
        plain({"f": one_line})


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_float32_survives_json(number):
    single = np.float32(number)
    assert np.float32(json.loads(json.dumps(plain(single)))).tobytes() == single.tobytes()
