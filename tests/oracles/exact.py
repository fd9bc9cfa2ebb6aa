"""Slow and obvious twins of the exact solver: rollouts summed over time, paths enumerated one by one."""

import itertools

import numpy as np


def joint_policy(policies):
    """``[S, J]`` by loops over joint actions, the first agent's choice counting most."""
    out = []
    for s in range(len(policies[0])):
        rows = [policy[s] for policy in policies]
        out.append([np.prod(chances) for chances in itertools.product(*rows)])
    return np.array(out)


def value(transition, reward, gamma, policy, steps=4000):
    """V by adding up discounted rewards along the distribution of states, from every start."""
    states = len(reward)
    chain = np.array([[sum(policy[s, j] * transition[s, j, t] for j in range(reward.shape[1])) for t in range(states)]
                      for s in range(states)])  # fmt: skip
    paid = (policy * reward).sum(1)
    out, where = np.zeros(states), np.eye(states)
    for t in range(steps):
        out += gamma**t * where @ paid
        where = where @ chain
    return out


def occupancy(transition, start, gamma, policy, steps=4000):
    """(1 - gamma) sum_t gamma^t P_t."""
    chain = np.einsum("sj,sjt->st", policy, transition)
    out, where = np.zeros(len(start)), start
    for t in range(steps):
        out = out + (1 - gamma) * gamma**t * where
        where = where @ chain
    return out


def moments(transition, start, gamma, policy, step, steps):
    """Mean and E|g|^2 of g = sum_{t < steps} gamma^t step(s_t, a_t), over all paths with their chances."""
    states, joint = policy.shape
    size = len(step(0, 0))
    mean, square = np.zeros(size), 0.0

    def walk(state, chance, total, t):
        nonlocal mean, square
        if t == steps:
            mean, square = mean + chance * total, square + chance * total @ total
            return
        for a in range(joint):
            after = total + gamma**t * step(state, a)
            for s in range(states):
                p = policy[state, a] * transition[state, a, s]
                if p > 0:
                    walk(s, chance * p, after, t + 1)

    for s in range(states):
        if start[s] > 0:
            walk(s, start[s], np.zeros(size), 0)
    return mean, square
