"""Checkpoints: a training state as a file that is whole or absent, and read without executing anything.

One file per checkpoint, ``<step>.safetensors``. A process killed at any moment leaves the last checkpoint or the new
one, and at most one unfinished temporary file, which the next save removes.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import keystr, tree_flatten_with_path
from jaxtyping import Array, PyTree

from coterie.contracts import CoterieError
from coterie.training.files import DamagedFile, load_arrays, save_arrays

_SUFFIX = ".safetensors"


def save(directory: Path | str, step: int, tree: PyTree, meta: Mapping[str, Any], keep: int = 2) -> Path:
    """Write a checkpoint, then remove what it makes obsolete: all but the last ``keep``, and any of a later step.

    A later step can only stem from a run that has since been resumed from before it. Leaves may be arrays of any
    dtype, typed random keys and Python numbers; other leaves (functions, say) belong to the structure and are not
    stored. ``meta`` is JSON data; ``load`` returns it with the step under ``step``.

    Raises:
        CoterieError: The disk is full or the place cannot be written; earlier checkpoints are intact.
    """
    _positive(keep)
    directory = Path(directory)
    for stale in directory.glob(f".*{_SUFFIX}.tmp"):
        stale.unlink(missing_ok=True)
    arrays, keys = {}, {}
    for name, leaf in _named(tree):
        arrays[name] = _stored(leaf)
        if _is_key(leaf):
            keys[name] = str(jax.random.key_impl(leaf))
    path = directory / f"{step:012d}{_SUFFIX}"
    save_arrays(path, arrays, {"keys": keys, "meta": {**meta, "step": step}})
    for later in [other for other in _found(directory) if other.name > path.name]:
        later.unlink(missing_ok=True)
    prune(directory, keep)
    return path


def prune(directory: Path | str, keep: int = 1) -> None:
    """Remove all checkpoints but the last ``keep``: a run that is over needs one, and with a replay each is large."""
    _positive(keep)
    for older in _found(Path(directory))[:-keep]:
        older.unlink(missing_ok=True)


def _positive(keep: int) -> None:
    if keep < 1:
        raise CoterieError(f"keep is {keep}: at least 1 checkpoint has to stay")


def latest(directory: Path | str) -> Path | None:
    """The checkpoint of the highest step, None if there is none. It may be damaged: only ``load`` looks inside."""
    found = _found(Path(directory))
    return found[-1] if found else None


def load(source: Path | str, like: PyTree) -> tuple[PyTree, dict[str, Any]]:
    """The training state and ``meta`` of a checkpoint, as a tree of the same structure as ``like``.

    ``source`` is a checkpoint or a directory of them. Of a directory the newest whole one is taken, with a warning for
    each damaged one passed over. The leaves of ``like`` say names, shapes and dtypes (``jax.eval_shape`` makes them for
    nothing). A leaf is a NumPy array where ``like`` has one, else a JAX array; what is not stored is ``like``'s.

    Raises:
        CoterieError: There is no whole checkpoint, it is of another game or recipe, or of a newer version.
    """
    source = Path(source)
    if not source.is_dir():
        return _load_file(source, like)
    found = _found(source)
    for path in reversed(found):
        try:
            return _load_file(path, like)
        except DamagedFile as error:
            warnings.warn(f"passed over a checkpoint: {error}", stacklevel=2)
    if found:
        raise CoterieError(f"all {len(found)} checkpoints in {source} are damaged: restore one or train anew")
    raise CoterieError(f"there is no checkpoint in {source}: check the path, or train first")


def _found(directory: Path) -> list[Path]:
    """Checkpoints by rising step."""
    return sorted(path for path in directory.glob(f"[0-9]*{_SUFFIX}") if path.stem.isdigit())


def _load_file(path: Path, like: PyTree) -> tuple[PyTree, dict[str, Any]]:
    arrays, document = load_arrays(path)
    if set(document) != {"keys", "meta"}:
        raise CoterieError(f"{path} holds arrays but no checkpoint: expected a file of checkpoints/")
    there = {name: _wrapped(array, document["keys"].get(name)) for name, array in arrays.items()}
    wanted = dict(_named(like))
    _check(path, there, wanted)
    leaves, structure = jax.tree.flatten(like)
    restored = iter(_restored(there[name], leaf) for name, leaf in wanted.items())
    return structure.unflatten([next(restored) if _is_stored(leaf) else leaf for leaf in leaves]), document["meta"]


def _check(path: Path, there: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Report the first leaf, in the order of the tree, that is not the same here and there."""
    for name in [*wanted, *sorted(set(there) - set(wanted))]:
        saved, expected = _describe(there.get(name)), _describe(wanted.get(name))
        if saved != expected:
            raise CoterieError(
                f"{path} is a checkpoint of another game or recipe: {name} is {saved} there and {expected} here; "
                "use the game and recipe of its run.json"
            )


def _describe(leaf: Any) -> str:
    if leaf is None:
        return "absent"
    leaf = leaf if hasattr(leaf, "dtype") else np.asarray(leaf)
    return f"{leaf.dtype.name}[{', '.join(map(str, leaf.shape))}]"


def _named(tree: PyTree) -> list[tuple[str, Any]]:
    """Stored leaves with readable names, ``params.actor.0.weight``; Python's own notation where those would clash."""
    pairs = [(path, leaf) for path, leaf in tree_flatten_with_path(tree)[0] if _is_stored(leaf)]
    names = [keystr(path, simple=True, separator=".") or "value" for path, _ in pairs]
    if len(set(names)) < len(names):
        names = [keystr(path) for path, _ in pairs]
    return [(name, leaf) for name, (_, leaf) in zip(names, pairs, strict=True)]


def _is_stored(leaf: Any) -> bool:
    return isinstance(leaf, Array | np.ndarray | np.generic | jax.ShapeDtypeStruct | bool | int | float)


def _is_key(leaf: Any) -> bool:
    return hasattr(leaf, "dtype") and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def _stored(leaf: Any) -> np.ndarray:
    return np.asarray(jax.random.key_data(leaf) if _is_key(leaf) else leaf)


def _wrapped(array: np.ndarray, implementation: str | None) -> Any:
    return jax.random.wrap_key_data(jnp.asarray(array), impl=implementation) if implementation else array


def _restored(saved: Any, like: Any) -> Any:
    """``saved`` as the kind of leaf that ``like`` is."""
    if isinstance(like, np.ndarray) or _is_key(like):
        return saved
    if isinstance(like, np.generic):
        return saved[()]
    if isinstance(like, bool | int | float):
        return type(like)(saved.item())
    array = jnp.asarray(saved)
    if not like.weak_type:
        return array
    # A leaf that came from a Python number has to stay weakly typed, or its step would be compiled a second time.
    return jnp.broadcast_to(jnp.asarray(array.dtype.type(0).item()), array.shape).at[...].set(array)
