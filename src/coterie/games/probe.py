"""Probe games: tiny tasks, each of which needs one more thing to be right, with exact answers.

A rule states what is seen, what is paid and what the best team does; ``value`` is the exact value of a state under
the best team (and under every team where actions do not matter). A learner that fails the first probes has a fault
that no tuning will mend.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from coterie.contracts import ActionSpace, Observation, Outcome, Spec
from coterie.games.options import whole_at_least
