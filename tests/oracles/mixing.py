"""Mixings of one sample as sums written out, on ``tape`` numbers.

``chosen`` and ``best`` are lists of one utility for each agent, 0 for the dead; ``actions`` one vector for each.
"""

from tests.oracles.tape import absolute, elu, held, joined, network, sigmoid, total


def mixed(kind, p, state, chosen, best, actions):
    """The team's value, or a list of one for each agent."""
    if kind == "apart":
        return list(chosen)
    if kind == "total":
        return [sum(chosen[1:], chosen[0])]
    if kind == "monotone":
        return [monotone(p, state, chosen)]
    if kind == "duplex":
        return [duplex(p, state, chosen, best, actions)]
    return [free(p, state, chosen)]


def monotone(p, state, chosen):
    """|W_2| elu(|W_1| Q + b_1) + b_2, all four of the state."""
    weight, inner = network(p["weight_1"], state)[0], network(p["bias_1"], state)[0]
    width = inner.value.size
    for i, q in enumerate(chosen):
        inner = inner + q * absolute(weight[i * width : (i + 1) * width])
    outer = absolute(network(p["weight_2"], state)[0])
    return total(elu(inner) * outer) + network(p["bias_2"], state)[0][0]


def duplex_parts(p, state, chosen, best, actions):
    """Q'_i, V'_i and lambda_i of every agent."""
    n = len(chosen)
    weight, bias, keys, agents = (network(p[name], state)[0] for name in ("weight", "bias", "key", "agents"))
    actions = network(p["actions"], joined(state, *actions))[0]
    parts = []
    for i in range(n):
        own = absolute(weight[i]) + 1e-10
        share = 0.0
        for k in range(keys.value.size):
            place = k * n + i
            share = share + (absolute(keys[k]) + 1e-10) * sigmoid(agents[place]) * sigmoid(actions[place])
        parts.append((own * chosen[i] + bias[i], own * best[i] + bias[i], share))
    return parts


def duplex(p, state, chosen, best, actions):
    """sum_i Q'_i + (lambda_i - 1) (Q'_i - V'_i), the last bracket held still."""
    out = 0.0
    for value, top, share in duplex_parts(p, state, chosen, best, actions):
        out = out + value + (share - 1.0) * held(value - top)
    return out


def duplex_as_written(p, state, chosen, best, actions):
    """V_tot + sum_i lambda_i A_i (eq. 9), a number."""
    parts = duplex_parts(p, state, chosen, best, actions)
    team = sum(top.value for _, top, _ in parts)
    return team + sum(share.value * (value.value - top.value) for value, top, share in parts), team


def free(p, state, chosen):
    """A network of the state and all utilities."""
    return network(p["network"], joined(state, *chosen))[0][0]
