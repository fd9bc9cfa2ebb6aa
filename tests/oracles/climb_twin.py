"""Deterministic gradients as plain loops over samples, agents and copies of critics, in float64 NumPy.

Forward and backward pass of a ReLU network, straight-through choices, joint actions of every kind of actor update,
targets, pessimism, turns, delays, soft targets: all written out. Parameters are one dictionary for each slot, those of
critics copy by copy. The only thing shared with the library is where random numbers come from: the splits of the key.
"""

from collections import Counter
from copy import deepcopy
from dataclasses import dataclass
from itertools import product

import jax
import numpy as np

from tests.oracles.policy_twin import adam, add, layers, tagged, zeros


@dataclass
class Method:
    """A method by its plain name and numbers; ``slot_of`` says which agents share parameters."""

    slot_of: tuple
    critic: str = "joint"  # own, each
    update: str = "simultaneous"  # sequential, marginal
    others: str = "buffer"  # current
    prefix: str = "buffer"  # current
    order: str = "fixed"  # random
    enumerated: bool = True
    by: str = "first"  # least
    copies: int = 1
    pessimism: float | None = None
    kappa: float = 1.0
    smoothing: float | None = None
    delay: int = 1
    gamma: float = 0.95
    tau: float = 0.005
    rate: float = 3e-3
    critic_rate: float = 2e-3
    limit: float = 0.05

    @property
    def tagged(self):
        """Where agents share parameters, each sees its index."""
        return len(set(self.slot_of)) < len(self.slot_of)


def forward(params, x):
    """Outputs of one input vector, and what the backward pass needs."""
    seen = []
    for name in layers(params):
        seen.append(x)
        x = x @ params[name]["weight"] + params[name]["bias"]
        if name != "output":
            x = np.maximum(x, 0.0)
    return x, seen


def backward(params, seen, slope):
    """The gradients by the parameters and by the input."""
    gradient, names = {}, layers(params)
    for i in reversed(range(len(names))):
        gradient[names[i]] = {"weight": np.outer(seen[i], slope), "bias": slope}
        slope = params[names[i]]["weight"] @ slope
        slope = slope * (seen[i] > 0) if i else slope
    return gradient, slope


class Twin:
    """``actor[slot]``, ``critic[copy * slots + slot]``, their targets and Adam states; ``own`` is the game's spec."""

    def __init__(self, method, own, actor, critic):
        self.m, self.own, self.n = method, own, own.n_agents
        self.discrete = own.action_kind == "discrete"
        self.actor, self.critic, self.count, self.loss = actor, critic, 0, np.zeros(own.n_agents)
        self.slots = 1 if method.critic == "joint" else max(method.slot_of) + 1
        self.target_actor, self.target_critic = deepcopy(actor), deepcopy(critic)
        fresh = lambda p: {"count": 0, "mu": zeros(p), "nu": zeros(p)}  # noqa: E731
        self.actor_state, self.critic_state = [fresh(p) for p in actor], [fresh(p) for p in critic]

    # ---------------------------------------------------------------- actions

    def act(self, actor, seen, t, e, i, noise=None):
        """Agent i's action as a critic sees it, and the backward pass from it to the actor's parameters."""
        params = actor[self.m.slot_of[i]]
        raw, trail = forward(params, tagged(seen["local"][t, e, i], i, self.n, self.m.tagged))
        legal, alive = seen["legal"][t, e, i], float(seen["alive"][t, e, i])
        if not self.discrete:
            value = np.where(legal, np.tanh(raw), 0.0)
            to_raw = lambda slope: alive * slope * legal * (1.0 - value**2)  # noqa: E731
        else:
            logits = np.where(legal, raw + (0.0 if noise is None else noise[t, e, i]), -np.inf)
            p = np.exp(logits - logits.max())
            p = p / p.sum()
            value = np.eye(len(raw))[np.argmax(logits)]
            to_raw = lambda slope: alive * p * (slope - p @ slope)  # noqa: E731
        return alive * value, lambda slope: backward(params, trail, to_raw(slope))[0]

    def everybody(self, actor, seen, t, e, noise=None):
        return [self.act(actor, seen, t, e, i, noise)[0] for i in range(self.n)]

    def taken(self, batch, t, e):
        seen, action = batch["observation"], batch["action"][t, e]
        alive = seen["alive"][t, e]
        if self.discrete:
            return [np.eye(self.own.choices)[a] * live for a, live in zip(action, alive, strict=True)]
        return [np.clip(a, -1.0, 1.0) * live for a, live in zip(action, alive, strict=True)]

    # ---------------------------------------------------------------- values

    def quality(self, critic, copy, seen, t, e, m, joint):
        """Value m of one copy, its slot, and what the backward pass needs."""
        if self.m.critic == "own":
            x = np.concatenate([seen["local"][t, e, m], joint[m]])
        else:
            x = np.concatenate([seen["state"][t, e], *joint])
        several = self.m.critic != "joint"
        slot = copy * self.slots + (self.m.slot_of[m] if several else 0)
        value, trail = forward(critic[slot], tagged(x, m, self.n, several and self.m.tagged))
        return value[0], slot, trail

    def copies(self, critic, seen, t, e, m, joint):
        return [self.quality(critic, c, seen, t, e, m, joint)[0] for c in range(self.m.copies)]

    def climbed(self, critic, seen, t, e, i, joint):
        """The value that agent i's actor climbs."""
        found = self.copies(critic, seen, t, e, i, joint)
        return min(found) if self.m.by == "least" else found[0]

    def slope(self, critic, seen, t, e, i, joint):
        """Its gradient by agent i's action."""
        copy = int(np.argmin(self.copies(critic, seen, t, e, i, joint))) if self.m.by == "least" else 0
        _, slot, trail = self.quality(critic, copy, seen, t, e, i, joint)
        by_input, size = backward(critic[slot], trail, np.ones(1))[1], len(joint[i])
        first = self.own.observation_size if self.m.critic == "own" else self.own.state_size + i * size
        return by_input[first : first + size]

    def joint(self, critic, seen, t, e, i, mine, held, taken, rank):
        """The joint action as agent i takes it to be: its own, the others' of actors or the replay."""
        if self.m.update == "simultaneous":
            others = taken if self.m.others == "buffer" else held
            return [mine if j == i else others[j] for j in range(self.n)]
        before = taken if self.m.prefix == "buffer" else held
        fixed = [mine if j == i else held[j] if rank[j] > rank[i] else before[j] for j in range(self.n)]
        if not (self.discrete and self.m.enumerated):
            return fixed
        options = [[action] for action in fixed]
        for j in range(self.n):
            if rank[j] > rank[i] and seen["alive"][t, e, j]:
                options[j] = [np.eye(self.own.choices)[a] for a in np.flatnonzero(seen["legal"][t, e, j])]
        return list(max(product(*options), key=lambda joint: self.climbed(critic, seen, t, e, i, joint)))

    # ---------------------------------------------------------------- a gradient step

    def samples(self, batch):
        return list(product(*map(range, batch["reward"].shape[:2])))

    def step(self, batch, unit, key):
        value_key, actor_key = jax.random.split(key)
        self.fit_critic(batch, unit, value_key)
        self.count += 1
        if self.count % self.m.delay:
            return
        (self.in_turns if self.m.update == "sequential" else self.together)(batch, actor_key)
        for old, new in ((self.target_actor, self.actor), (self.target_critic, self.critic)):
            for target, params in zip(old, new, strict=True):
                for name, layer in target.items():
                    for k in layer:
                        layer[k] = layer[k] + self.m.tau * (params[name][k] - layer[k])

    @property
    def mortal(self):
        """Whether every agent's own value ends with it: only where rewards are its own."""
        return self.m.critic != "joint" and self.own.reward == "individual"

    def target(self, batch, unit, noise, t, e, m):
        """What value m is drawn to."""
        final, reward = batch["final"], batch["reward"][t, e]
        earned = reward[m]
        if self.m.critic == "joint" and self.own.reward == "individual":
            earned = reward.sum()
        joint = self.everybody(self.target_actor, final, t, e)
        if self.m.smoothing is not None and not self.discrete:
            bound = 2.5 * self.m.smoothing
            for j in range(self.n):
                if final["alive"][t, e, j]:
                    moved = joint[j] + np.clip(self.m.smoothing * noise[t, e, j], -bound, bound)
                    joint[j] = np.where(final["legal"][t, e, j], np.clip(moved, -1.0, 1.0), 0.0)
        following = min(self.copies(self.target_critic, final, t, e, m, joint))
        over = batch["terminated"][t, e] or (self.mortal and not final["alive"][t, e, m])
        return earned / unit + (0.0 if over else self.m.gamma * following)

    def fit_critic(self, batch, unit, key):
        noise_key, prefix_key = jax.random.split(key)
        lead, seen = batch["reward"].shape[:2], batch["observation"]
        noise = np.asarray(jax.random.normal(noise_key, (*lead, self.n, self.actor[0]["output"]["bias"].size)))
        first = np.asarray(jax.random.randint(prefix_key, (*lead, 1, 1), 0, self.n))
        rank = np.arange(self.n)
        if self.m.order == "random":
            rank = np.asarray(jax.random.permutation(jax.random.fold_in(prefix_key, 1), self.n))
        gradient = [zeros(params) for params in self.critic]
        counted = [
            (t, e, m)
            for t, e in self.samples(batch)
            for m in (range(self.n) if self.m.critic != "joint" else [0])
            if not self.mortal or seen["alive"][t, e, m]
        ]
        of = lambda m: 0 if self.m.critic == "joint" else self.m.slot_of[m]  # noqa: E731
        size = Counter(of(m) for _, _, m in counted)
        for t, e, m in counted:
            drawn_to = [(1.0, self.taken(batch, t, e), self.target(batch, unit, noise, t, e, m))]
            if self.m.pessimism is not None:
                greedy, taken = self.everybody(self.actor, seen, t, e), drawn_to[0][1]
                i = first[t, e, 0, 0]
                untried = self.joint(self.critic, seen, t, e, i, greedy[i], greedy, taken, rank)
                old = self.copies(self.target_critic, seen, t, e, m, untried)
                drawn_to.append((self.m.pessimism, untried, np.mean(old) - self.m.kappa * np.std(old)))
            for weight, joint, wanted in drawn_to:
                for copy in range(self.m.copies):
                    value, slot, trail = self.quality(self.critic, copy, seen, t, e, m, joint)
                    by_params, _ = backward(self.critic[slot], trail, np.full(1, value - wanted))
                    add(gradient[slot], by_params, 2.0 * weight / size[of(m)])
        for params, state, own in zip(self.critic, self.critic_state, gradient, strict=True):
            adam(params, state, own, self.m.critic_rate, self.m.limit)

    def climb(self, batch, i, joint_of, noise, gradient):
        """Add agent i's gradient to that of its slot."""
        seen = batch["observation"]
        there = [(t, e) for t, e in self.samples(batch) if seen["alive"][t, e, i]]
        self.loss[i] = 0.0
        for t, e in there:
            joint = joint_of(t, e)
            joint[i], back = self.act(self.actor, seen, t, e, i, noise)
            self.loss[i] -= self.climbed(self.critic, seen, t, e, i, joint) / len(there)
            add(gradient, back(self.slope(self.critic, seen, t, e, i, joint)), -1.0 / len(there))

    def together(self, batch, key):
        noise_key, order_key = jax.random.split(key)
        noise, seen = self.gumbel(noise_key, batch), batch["observation"]
        rank = np.arange(self.n)
        if self.m.order == "random":
            rank = np.asarray(jax.random.permutation(order_key, self.n))
        gradient = [zeros(params) for params in self.actor]
        live = {place: self.everybody(self.actor, seen, *place, noise) for place in self.samples(batch)}
        held = {place: self.everybody(self.actor, seen, *place) for place in self.samples(batch)}
        for i in range(self.n):
            joint_of = lambda t, e, i=i: self.joint(  # noqa: E731
                self.critic, seen, t, e, i, live[t, e][i], held[t, e], self.taken(batch, t, e), rank
            )
            self.climb(batch, i, joint_of, noise, gradient[self.m.slot_of[i]])
        for params, state, own in zip(self.actor, self.actor_state, gradient, strict=True):
            adam(params, state, own, self.m.rate, self.m.limit)

    def in_turns(self, batch, key):
        order_key, noise_key = jax.random.split(key)
        seen, keys = batch["observation"], jax.random.split(noise_key, self.n)
        current = {place: self.everybody(self.actor, seen, *place) for place in self.samples(batch)}
        for turn, i in enumerate(np.asarray(jax.random.permutation(order_key, self.n))):
            slot = self.m.slot_of[i]
            gradient = zeros(self.actor[slot])
            self.climb(batch, i, lambda t, e: list(current[t, e]), self.gumbel(keys[turn], batch), gradient)
            adam(self.actor[slot], self.actor_state[slot], gradient, self.m.rate, self.m.limit)
            for t, e in current:
                current[t, e] = self.everybody(self.actor, seen, t, e)  # who shares the slot has moved, too

    def gumbel(self, key, batch):
        shape = batch["observation"]["legal"].shape
        return np.asarray(jax.random.gumbel(key, shape)) if self.discrete else None
