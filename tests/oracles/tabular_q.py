"""Tabular learners of one-state games as plain loops over agents and actions, one seed at a time."""

import itertools
import math

import numpy as np


def chances(values, progress, kind):
    """Epsilon-greedy, epsilon from 1 to 0, ties shared; or exp(Q / tau) with tau from 50 to 0.05."""
    if kind == "epsilon":
        best = [v == max(values) for v in values]
        return [progress * b / sum(best) + (1 - progress) / len(values) for b in best]
    tau = 50.0 * (0.05 / 50.0) ** progress
    raised = [math.exp((v - max(values)) / tau) for v in values]
    return [x / sum(raised) for x in raised]


def learn(payoff, seed, steps, kind, alpha, beta, start=0.0, scale=1.0, decay=1.0, swing=None):
    """Tables and temperatures at the end, a list for each agent."""
    agents = payoff.ndim
    tables = [[0.0] * own for own in payoff.shape]
    heats = [[start] * own for own in payoff.shape]
    numbers = np.random.default_rng(seed).random((steps, 2 * agents + 1))
    for step in range(steps):
        progress = step / (steps - 1)
        actions = []
        for agent in range(agents):
            left = numbers[step, agent]
            odds = chances(tables[agent], progress, kind)
            action = 0
            while left >= odds[action]:
                left -= odds[action]
                action += 1
            actions.append(action)
        reward = payoff[tuple(actions)]
        if swing is not None:
            reward += swing[tuple(actions)] if numbers[step, -1] < 0.5 else -swing[tuple(actions)]
        for agent, action in enumerate(actions):
            error = reward - tables[agent][action]
            forgotten = numbers[step, agents + agent] < 1 - math.exp(-scale * heats[agent][action])
            if error >= 0:
                tables[agent][action] += alpha * error
            elif not forgotten:
                tables[agent][action] += beta * error
            heats[agent][action] *= decay
    return tables, heats


def expectile(payoff, others, agent, action, ratio, swing):
    """Q with E[(r - Q)^+] = ratio E[(Q - r)^+], by bisection; r over the others' actions and both payoffs."""
    outcomes = []
    for joint in itertools.product(*map(range, payoff.shape)):
        if joint[agent] == action:
            chance = np.prod([others[j][a] for j, a in enumerate(joint) if j != agent])
            outcomes += [(chance / 2, payoff[joint] + swing[joint]), (chance / 2, payoff[joint] - swing[joint])]
    low, high = -1e3, 1e3
    for _ in range(200):
        value = (low + high) / 2
        pull = sum(p * ((r - value) if r > value else ratio * (r - value)) for p, r in outcomes)
        low, high = (value, high) if pull > 0 else (low, value)
    return low
