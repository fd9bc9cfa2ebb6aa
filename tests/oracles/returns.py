"""Returns over several steps as recursions written out. Arrays are ``[T, E, M]`` and ``[T, E]``."""

import numpy as np


def lambda_return(reward, next_value, terminated, truncated, gamma, trace):
    """sum_n (1 - trace) trace^(n-1) G^(n) over n-step returns, all that is left on the last of them."""
    out = np.zeros_like(reward)
    for t, e, m in np.ndindex(*reward.shape):
        total, left, so_far = 0.0, 1.0, 0.0
        for now in range(t, len(reward)):
            k = now - t
            so_far += gamma**k * reward[now, e, m]
            ahead = 0.0 if terminated[now, e] else gamma ** (k + 1) * next_value[now, e, m]
            if terminated[now, e] or truncated[now, e] or now == len(reward) - 1:
                total += left * (so_far + ahead)
                break
            total += left * (1 - trace) * (so_far + ahead)
            left *= trace
        out[t, e, m] = total
    return out
