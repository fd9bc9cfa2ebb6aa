"""What tests of games share."""

import jax.numpy as jnp
import pytest

from coterie.games.particle import ParticleState


@pytest.fixture
def state_at():
    """Makes the state of a particle world at the start of an episode: agents at rest at the given places."""

    def make(position, landmarks):
        position = jnp.asarray(position, float)
        rest, landmarks = jnp.zeros_like(position), jnp.asarray(landmarks, float)
        return ParticleState(position, rest, landmarks, jnp.zeros((), jnp.int32), jnp.zeros(()))

    return make
