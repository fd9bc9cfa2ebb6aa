"""JaxMARL's package: imported when a game is opened, kept quiet, and run under the rules that it was written for."""

from __future__ import annotations

import io
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from functools import lru_cache
from types import ModuleType
from typing import Any

import jax

from coterie.errors import CoterieError
from coterie.extras import require

STREAMS = ("stdout", "stderr", "__stdout__", "__stderr__")


@contextmanager
def as_upstream() -> Iterator[None]:
    """Trace JaxMARL's code: dtypes and ranks are promoted, and what it prints or warns of on the way goes nowhere."""
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        stack.enter_context(jax.numpy_dtype_promotion("standard"))
        stack.enter_context(jax.numpy_rank_promotion("allow"))
        stack.enter_context(redirect_stdout(io.StringIO()))
        yield


@contextmanager
def _silence() -> Iterator[None]:
    """Nothing is printed, and the streams are as before: importing JaxMARL puts others in their place."""
    before = {name: getattr(sys, name) for name in STREAMS}
    try:
        for name in STREAMS:
            setattr(sys, name, io.StringIO())
        yield
    finally:
        for name, stream in before.items():
            setattr(sys, name, stream)


def upstream(module: str = "jaxmarl") -> ModuleType:
    """A module of JaxMARL.

    Raises:
        CoterieError: It is not installed; the message names the extra.
    """
    if found := sys.modules.get(module):
        return found
    with _silence(), jax.ensure_compile_time_eval(), as_upstream():
        return require(module, "jaxmarl")


def build(name: str, length: int | None = None, **options: Any) -> Any:
    """A new environment of JaxMARL.

    Args:
        name: As ``jaxmarl.make`` has it.
        length: What ``max_steps`` is set to; None leaves it.
        options: The environment's own.

    Raises:
        CoterieError: JaxMARL is not installed, or refuses the options.
    """
    make = upstream().make
    with jax.ensure_compile_time_eval(), as_upstream():
        try:
            env = make(name, **options)
        except (AssertionError, ValueError, TypeError) as error:
            said = " ".join(str(error).split())
            raise CoterieError(f"JaxMARL does not open {name}: {said}; give other options") from None
    if length is not None:
        env.max_steps = length
    return env


environment = lru_cache(maxsize=256)(build)
"""The same with hashable options: equal arguments give the same object, so that games are equal and compiled once."""
