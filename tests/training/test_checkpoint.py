"""Checkpoints: any tree comes back, a crash at any moment loses nothing, a wrong file is named."""

import errno
import os
import signal
import subprocess
import sys
import time
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from coterie.contracts import CoterieError
from coterie.training import checkpoint, files
from coterie.training.checkpoint import latest, load, prune, save


class State(NamedTuple):
    params: dict
    optimiser: tuple
    keys: jax.Array
    count: jax.Array
    table: np.ndarray
    rate: float
    rounds: int


def state(seed: int = 0, width: int = 3) -> State:
    key = jax.random.key(seed)
    params = {"actor": [jax.random.normal(key, (width, 2)), jnp.zeros(2, jnp.bfloat16)], "none": None}
    return State(
        params=params,
        optimiser=optax.adam(1e-3).init(params),
        keys=jax.random.split(key, 4),
        count=jnp.asarray(7, jnp.uint32),
        table=np.array([[True, False]]),
        rate=0.1,
        rounds=5,
    )


def assert_same(a, b):
    assert jax.tree.structure(a) == jax.tree.structure(b)
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        assert type(x) is type(y)
        if checkpoint._is_key(x):
            assert x.dtype == y.dtype
            x, y = jax.random.key_data(x), jax.random.key_data(y)
        assert np.asarray(x).dtype == np.asarray(y).dtype
        assert np.asarray(x).tobytes() == np.asarray(y).tobytes()


def test_a_tree_comes_back_bit_for_bit(tmp_path):
    path = save(tmp_path, 100, state(), {"journal": 321})
    assert path.name == "000000000100.safetensors" and latest(tmp_path) == path
    for source in (tmp_path, path, str(tmp_path)):
        tree, meta = load(source, state(seed=1))
        assert_same(tree, state())
        assert meta == {"journal": 321, "step": 100}


def test_shapes_alone_are_enough_to_load(tmp_path):
    def arrays():
        return {"key": jax.random.key(3), "w": jnp.ones((2, 3)), "weak": jnp.asarray(2.0), "i": jnp.asarray(1)}

    save(tmp_path, 1, arrays(), {})
    tree, _ = load(tmp_path, jax.eval_shape(arrays))
    assert_same(tree, arrays())
    assert tree["weak"].weak_type and tree["i"].weak_type and not tree["w"].weak_type


def test_a_loaded_tree_is_not_compiled_again(tmp_path):
    traces = []

    @jax.jit
    def advance(tree):
        traces.append(1)
        return jax.tree.map(lambda leaf: leaf + leaf, tree)

    tree = {"weak": jax.vmap(lambda _: jnp.asarray(2.0))(jnp.arange(3)), "w": jnp.ones(3)}
    advance(tree)
    save(tmp_path, 1, tree, {})
    advance(load(tmp_path, tree)[0])
    assert len(traces) == 1


def test_modules_keep_their_functions_and_names_are_readable(tmp_path):
    model = eqx.nn.MLP(2, 2, 4, 1, activation=jnp.tanh, key=jax.random.key(0))
    other = eqx.nn.MLP(2, 2, 4, 1, activation=jnp.tanh, key=jax.random.key(1))
    path = save(tmp_path, 1, {"policy": model}, {})
    assert "policy.layers.0.weight" in files.load_arrays(path)[0]
    restored = load(path, {"policy": other})[0]["policy"]
    assert restored.activation is other.activation
    assert jnp.array_equal(restored(jnp.ones(2)), model(jnp.ones(2)))


def test_names_that_would_clash_are_told_apart(tmp_path):
    tree = {"a.b": jnp.zeros(2), "a": {"b": jnp.ones(2)}}
    save(tmp_path, 1, tree, {})
    assert_same(load(tmp_path, tree)[0], tree)
    save(tmp_path, 2, jnp.arange(3), {})
    assert_same(load(tmp_path, jnp.zeros(3, jnp.int32))[0], jnp.arange(3))


def test_the_last_ones_stay_and_later_ones_of_an_abandoned_run_go(tmp_path):
    for step in (10, 20, 30, 40):
        save(tmp_path, step, {"w": jnp.asarray(float(step))}, {}, keep=3)
    assert sorted(int(p.stem) for p in tmp_path.iterdir()) == [20, 30, 40]
    save(tmp_path, 25, {"w": jnp.asarray(25.0)}, {}, keep=2)
    assert sorted(int(p.stem) for p in tmp_path.iterdir()) == [20, 25]
    with pytest.raises(CoterieError, match="keep is 0"):
        save(tmp_path, 50, {}, {}, keep=0)
    prune(tmp_path)
    assert [int(p.stem) for p in tmp_path.iterdir()] == [25]


@pytest.mark.parametrize(
    "damage", [lambda data: data[: len(data) // 2], lambda data: data[:-1] + b"\xff", lambda _: b""]
)
def test_a_damaged_newest_falls_back_with_a_warning(tmp_path, damage):
    save(tmp_path, 1, state(), {})
    newest = save(tmp_path, 2, state(seed=1), {})
    newest.write_bytes(damage(newest.read_bytes()))
    with pytest.warns(UserWarning, match="passed over a checkpoint: .*000000000002"):
        tree, meta = load(tmp_path, state())
    assert meta["step"] == 1
    assert_same(tree, state())
    with pytest.raises(files.DamagedFile):
        load(newest, state())
    (tmp_path / "000000000001.safetensors").write_bytes(b"")
    with pytest.warns(UserWarning), pytest.raises(CoterieError, match="all 2 checkpoints"):
        load(tmp_path, state())


def test_nothing_to_load(tmp_path):
    assert latest(tmp_path) is None and latest(tmp_path / "missing") is None
    with pytest.raises(CoterieError, match="there is no checkpoint in"):
        load(tmp_path, state())
    with pytest.raises(CoterieError, match="there is no file"):
        load(tmp_path / "missing", state())
    files.save_arrays(tmp_path / "policies.safetensors", {"w": np.zeros(2)}, {"agents": 3})
    with pytest.raises(CoterieError, match="no checkpoint"):
        load(tmp_path / "policies.safetensors", state())


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda tree: state(width=4), r"params.actor.0 is float32\[3, 2\] there and float32\[4, 2\] here"),
        (lambda tree: tree._replace(count=jnp.asarray(7)), r"count is uint32\[\] there and int32\[\] here"),
        (lambda tree: tree._replace(params={**tree.params, "critic": jnp.ones(1)}), r"params.critic is absent there"),
        (lambda tree: tree._replace(table=None), r"table is bool\[1, 2\] there and absent here"),
        (lambda tree: tree._replace(keys=jax.random.split(jax.random.key(0, impl="rbg"), 4)), r"keys is key<fry>\[4\]"),
    ],
)
def test_another_game_or_recipe_is_named_by_its_first_difference(tmp_path, change, words):
    save(tmp_path, 1, state(), {})
    with pytest.raises(CoterieError, match=f"checkpoint of another game or recipe: {words}.*run.json") as error:
        load(tmp_path, change(state()))
    assert "\n" not in str(error.value)


def test_a_newer_version_is_not_passed_over(tmp_path, monkeypatch):
    save(tmp_path, 1, state(), {})
    monkeypatch.setattr(files, "FORMAT", 2)
    save(tmp_path, 2, state(), {})
    monkeypatch.undo()
    with pytest.raises(CoterieError, match="upgrade"):
        load(tmp_path, state())


def test_a_full_disk_leaves_the_earlier_checkpoint(tmp_path, monkeypatch):
    save(tmp_path, 1, state(), {})

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(CoterieError, match="the disk is full"):
        save(tmp_path, 2, state(seed=1), {}, keep=1)
    assert os.listdir(tmp_path) == ["000000000001.safetensors"]
    assert_same(load(tmp_path, state(seed=2))[0], state())


def test_a_crash_before_the_rename_leaves_only_litter_that_the_next_save_removes(tmp_path, monkeypatch):
    save(tmp_path, 1, state(), {})

    def crash(*_):
        raise SystemExit

    monkeypatch.setattr(files.os, "replace", crash)
    with pytest.raises(SystemExit):
        save(tmp_path, 2, state(seed=1), {})
    monkeypatch.undo()
    assert len(os.listdir(tmp_path)) == 2
    assert load(tmp_path, state())[1]["step"] == 1
    save(tmp_path, 3, state(), {}, keep=1)
    assert os.listdir(tmp_path) == ["000000000003.safetensors"]


SAVER = """
import sys, numpy as np
from coterie.training.checkpoint import save
step = int(sys.argv[2])
while True:
    step += 1
    save(sys.argv[1], step, {"w": np.full(200_000, step, np.int32)}, {"square": step * step})
    print(step, flush=True)
"""


def test_killed_at_any_moment_it_loads_and_goes_on(tmp_path):
    like, reached = {"w": np.zeros(200_000, np.int32)}, 0
    for round_ in range(4):
        process = subprocess.Popen([sys.executable, "-c", SAVER, str(tmp_path), str(reached)], stdout=subprocess.PIPE)
        said = int(process.stdout.readline())
        time.sleep(0.013 * round_ + 0.005)
        process.send_signal(signal.SIGKILL)
        said = max([said, *map(int, process.communicate()[0].split(b"\n")[:-1])])
        tree, meta = load(tmp_path, like)
        assert meta["step"] >= said, "a checkpoint that was reported as saved is lost"
        assert meta["square"] == meta["step"] ** 2 and (tree["w"] == meta["step"]).all()
        reached = meta["step"]
    assert len([name for name in os.listdir(tmp_path) if name[0] != "."]) <= 3
