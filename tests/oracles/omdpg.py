"""OMDPG's marginal values by loops over completions, for one table ``[A_1, ..., A_N]``."""

import itertools


def phi(quality, kept, future=None):
    """Of the actions ``kept`` (agent -> action): the best completion, or that of ``future`` (one action each)."""
    free = [
        [kept[agent]] if agent in kept else range(own) if future is None else [future[agent]]
        for agent, own in enumerate(quality.shape)
    ]
    return max(quality[joint] for joint in itertools.product(*free))


def greedy_sequence(quality, order):
    """The joint action of agents that pick the argmax of phi* one after the other."""
    chosen = {}
    for agent in order:
        chosen[agent] = max(range(quality.shape[agent]), key=lambda a: phi(quality, {**chosen, agent: a}))
    return tuple(chosen[agent] for agent in range(quality.ndim))
