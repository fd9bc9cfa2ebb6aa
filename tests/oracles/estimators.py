"""Advantages as sums written out, one step of one environment at a time. Arrays are ``[T, E, M]`` and ``[T, E]``."""

import numpy as np


def deltas(reward, value, next_value, terminated, gamma):
    """r_t + gamma V(s'_t) - V(s_t), without the bootstrap where the task ended."""
    out = np.zeros_like(value)
    for t, e, m in np.ndindex(*value.shape):
        ahead = 0.0 if terminated[t, e] else next_value[t, e, m]
        out[t, e, m] = reward[t, e, m] + gamma * ahead - value[t, e, m]
    return out


def preceding_trace(reward, value, next_value, terminated, truncated, gamma, trace, ratio):
    """delta_t + sum_k gamma^k (prod_{j=1..k} trace min(1, ratio_{t+j})) delta_{t+k}, up to the end of the episode."""
    delta, advantage = deltas(reward, value, next_value, terminated, gamma), np.zeros_like(value)
    for t, e, m in np.ndindex(*value.shape):
        for k in range(len(value) - t):
            if any(terminated[t + j, e] or truncated[t + j, e] for j in range(k)):
                break
            product = 1.0
            for j in range(1, k + 1):
                product *= trace * min(1.0, ratio[t + j, e])
            advantage[t, e, m] += gamma**k * product * delta[t + k, e, m]
    return advantage


def gae(reward, value, next_value, terminated, truncated, gamma, trace):
    """sum_k (gamma trace)^k delta_{t+k}, up to the end of the episode."""
    ones = np.ones(terminated.shape)
    return preceding_trace(reward, value, next_value, terminated, truncated, gamma, trace, ones)


def official_gae(reward, value, next_value, terminated, truncated, gamma, trace):
    """The recursion of MAPPO's code: ``masks`` end it, and ``bad_masks`` zero it where only the clock did."""
    advantage = np.zeros_like(value)
    for e, m in np.ndindex(*value.shape[1:]):
        running = 0.0
        for t in reversed(range(len(value))):
            mask = 0.0 if terminated[t, e] or truncated[t, e] else 1.0
            bad_mask = 0.0 if truncated[t, e] else 1.0
            delta = reward[t, e, m] + gamma * next_value[t, e, m] * mask - value[t, e, m]
            running = (delta + gamma * trace * mask * running) * bad_mask
            advantage[t, e, m] = running
    return advantage


def n_step(reward, value, next_value, terminated, truncated, gamma, steps):
    """The sum of at most ``steps`` discounted rewards, then the value of where they led, unless the task ended."""
    target = np.zeros_like(value)
    for t, e, m in np.ndindex(*value.shape):
        for k in range(min(steps, len(value) - t)):
            now = t + k
            target[t, e, m] += gamma**k * reward[now, e, m]
            ended = terminated[now, e] or truncated[now, e]
            if ended or k == steps - 1 or now == len(value) - 1:
                if not terminated[now, e]:
                    target[t, e, m] += gamma ** (k + 1) * next_value[now, e, m]
                break
    return target - value
