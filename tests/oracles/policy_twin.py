"""The on-policy methods as plain loops over turns, epochs, minibatches and agents, in float64 NumPy.

Everything is written out: forward and backward pass of a two-layer tanh network, Adam, gradient clipping, advantages,
normalisation, ratios, orders, means over the others' joint actions. Parameters are one dictionary per slot. The only
thing shared with the library is where random numbers come from: the splits of the key and ``minibatch_rows``, so that
minibatches and draws coincide.
"""

from dataclasses import dataclass
from itertools import product

import jax
import numpy as np

from coterie.parts.fit import minibatch_rows
from tests.oracles import estimators
from tests.oracles.leniency import Temperatures
from tests.oracles.normaliser import ValueNorm


@dataclass
class Method:
    """A method by its plain name and numbers; ``slot_of`` says which agents share parameters."""

    slot_of: tuple
    order: str = "simultaneous"  # random, semi_greedy, blocks
    weight: str = "one"  # others, outside, inside, bounded
    trace: str = "gae"  # preceding
    clip_range: str = "fixed"  # position, ratio
    penalty: str = ""  # paper, code: KL penalties instead of the clip
    penalties: tuple = (0.01, 0.01, 0.01)  # of the root, of KL, and the target of KL
    eta: float = 1.0  # weight of negative advantages
    leak: float = 1.0  # the same, before they are normalised
    critic: str = "state"  # local
    others: bool = False  # the critic reads the others' actions
    lenient: dict | None = None  # numbers of the temperatures
    normalise: str = "team"  # agent
    critic_in_turns: bool = False
    trunk: float = 0.0
    squared: bool = False
    score: str = "advantage"  # ratio
    blocks: int = 2
    gamma: float = 0.95
    lam: float = 0.95
    epsilon: float = 0.2
    bound: float = 0.1
    floor: float = 0.5
    entropy: float = 0.01
    value_clip: float = 0.2
    huber: float = 10.0
    rate: float = 1e-3
    critic_rate: float = 1e-3
    limit: float = 10.0
    epochs: int = 4
    critic_epochs: int = 4
    minibatches: int = 4

    @property
    def slots(self):
        return max(self.slot_of) + 1

    def members(self, slot):
        return [agent for agent, s in enumerate(self.slot_of) if s == slot]

    @property
    def tagged(self):
        """Where agents share parameters, each sees its index."""
        return len(set(self.slot_of)) < len(self.slot_of)


def layers(params):
    return [name for name in ("encoder_0", "encoder_1", "head_0", "output") if name in params]


def forward(params, x, beside=()):
    """Outputs of one input vector, and what the backward pass needs; ``beside`` comes in at the head."""
    seen = []
    for name in layers(params):
        x = np.concatenate([x, beside]) if name == "head_0" else x
        seen.append(x)
        x = x @ params[name]["weight"] + params[name]["bias"]
        if name != "output":
            x = np.tanh(x)
    return x, seen


def backward(params, seen, slope):
    gradient, names = {}, layers(params)
    for i in reversed(range(len(names))):
        gradient[names[i]] = {"weight": np.outer(seen[i], slope), "bias": slope}
        below = params[names[i - 1]]["bias"].size if i else 0
        slope = ((params[names[i]]["weight"] @ slope) * (1.0 - seen[i] ** 2))[:below]
    return gradient


def zeros(params):
    return {name: {k: np.zeros_like(v) for k, v in layer.items()} for name, layer in params.items()}


def add(total, gradient, scale):
    for name in layers(total):
        for k in ("weight", "bias"):
            total[name][k] += scale * gradient[name][k]


def adam(params, state, gradient, rate, limit, epsilon=1e-5):
    """One step in place; ``state`` has ``count``, ``mu`` and ``nu``."""
    norm = np.sqrt(sum((g**2).sum() for layer in gradient.values() for g in layer.values()))
    scale = min(1.0, limit / max(norm, 1e-12))
    state["count"] += 1
    for name in layers(params):
        for k in ("weight", "bias"):
            g = scale * gradient[name][k]
            state["mu"][name][k] = 0.9 * state["mu"][name][k] + 0.1 * g
            state["nu"][name][k] = 0.999 * state["nu"][name][k] + 0.001 * g * g
            mean = state["mu"][name][k] / (1 - 0.9 ** state["count"])
            square = state["nu"][name][k] / (1 - 0.999 ** state["count"])
            params[name][k] = params[name][k] - rate * mean / (np.sqrt(square) + epsilon)


def tagged(x, agent, agents, wanted):
    return np.concatenate([x, np.eye(agents)[agent]]) if wanted else x


class Twin:
    """Parameters ``actor[slot]`` and ``critic[slot]``, their Adam states, and the value normaliser."""

    def __init__(self, method, actor, critic, beta=0.99999):
        # With a shared trunk the value is the last output of the policy's network.
        critic = actor if method.trunk else critic
        self.m, self.actor, self.critic, self.norm = method, actor, critic, ValueNorm(beta)
        fresh = lambda p: {"count": 0, "mu": zeros(p), "nu": zeros(p)}  # noqa: E731
        self.actor_state, self.critic_state = [fresh(p) for p in actor], [fresh(p) for p in critic]
        self.root, self.kl = ([value] * len(actor) for value in method.penalties[:2])
        self.temperatures = None if method.lenient is None else Temperatures(**method.lenient)

    # ---------------------------------------------------------------- policies

    def policy(self, ro, t, e, i):
        """Log-probabilities of agent i's choices, and what the backward pass needs."""
        x = tagged(ro["local"][t, e, i], i, len(self.m.slot_of), self.m.tagged)
        raw, seen = forward(self.actor[self.m.slot_of[i]], x)
        legal = ro["legal"][t, e, i]
        raw = raw[: len(legal)]
        log_p = np.full(len(raw), -np.inf)
        high = raw[legal].max()
        log_p[legal] = raw[legal] - high - np.log(np.exp(raw[legal] - high).sum())
        return log_p, seen

    def log_ratio(self, ro, t, e, i):
        return self.policy(ro, t, e, i)[0][ro["action"][t, e, i]] - ro["log_prob"][t, e, i]

    def divergence(self, ro, t, e, i):
        """KL(old || new) of agent i's choices."""
        legal, old = ro["legal"][t, e, i], ro["behaviour"][t, e, i]
        new = self.policy(ro, t, e, i)[0]
        return (np.exp(old[legal]) * (old[legal] - new[legal])).sum()

    def penalty_slope(self, ro, t, e, i, p, mean):
        """Gradient of the penalties of one sample by the raw outputs; ``mean`` is the minibatch's mean KL."""
        slot, old = self.m.slot_of[i], np.where(ro["legal"][t, e, i], np.exp(ro["behaviour"][t, e, i]), 0.0)
        under = mean if self.m.penalty == "paper" else self.divergence(ro, t, e, i)
        by_root = 0.5 / np.sqrt(under + 1e-12) if under > 0 else 0.0
        return (self.root[slot] * by_root + self.kl[slot]) * (p - old)

    def adapt(self, ro, batches, trained):
        """The coefficients of the next iteration, from KL at each step of the last epoch, before its update."""
        target, n = self.m.penalties[2], len(batches)
        kl = np.array([[b["kl"][i] for i in trained] for b in batches])
        root = np.array([[b["root"][i] for i in trained] for b in batches])
        for k, i in enumerate(trained):
            slot = self.m.slot_of[i]
            if self.m.penalty == "paper":
                seen = own = kl[:, k].mean()
                goal = target
            else:
                seen, own, goal = kl[n - 1].mean(), root[n - 1].mean(), np.sqrt(target)
            self.root[slot] = self.stepped(self.root[slot], own, goal)
            self.kl[slot] = self.stepped(self.kl[slot], seen, target)

    def stepped(self, value, seen, target):
        new = value * 2 if seen > 1.5 * target else value / 2 if seen < target / 1.5 else value
        return float(np.clip(new, 1e-3, 1e3)) if self.m.penalty == "code" else new

    def actor_gradient(self, ro, t, e, i, advantage, inside, outside, epsilon, by_value, mean):
        """Gradient of -outside min(l A, clip(l) A) - entropy coefficient * H of one sample."""
        log_p, seen = self.policy(ro, t, e, i)
        p, action = np.exp(log_p), ro["action"][t, e, i]
        weighted = np.exp(log_p[action] - ro["log_prob"][t, e, i]) * inside
        improving_stopped = weighted > 1 + epsilon if advantage > 0 else weighted < 1 - epsilon
        if self.m.penalty:
            improving_stopped, outside = False, outside / (len(self.m.slot_of) if self.m.penalty == "paper" else 1)
        by_log_prob = 0.0 if improving_stopped else -outside * advantage * weighted
        legal = ro["legal"][t, e, i]
        entropy = -(p[legal] * log_p[legal]).sum()
        slope = -by_log_prob * p
        slope[action] += by_log_prob
        slope[legal] += self.m.entropy * p[legal] * (log_p[legal] + entropy)
        if self.m.penalty:
            slope += self.penalty_slope(ro, t, e, i, p, mean)
        if self.m.trunk:
            slope = np.append(slope, self.m.trunk * by_value)
        return backward(self.actor[self.m.slot_of[i]], seen, slope)

    # ---------------------------------------------------------------- values

    def value_input(self, seen, t, e, m):
        """The critic's slot, its input and which of its outputs counts for value m."""
        if self.m.critic == "local":
            x = tagged(seen["local"][t, e, m], m, len(self.m.slot_of), self.m.tagged)
            return self.m.slot_of[m], x, -1 if self.m.trunk else 0
        return 0, seen["state"][t, e], 0 if self.m.others else m

    def beside(self, m, actions):
        """What comes in at the head of value m: a one-hot for each of the others, zeros for its own; its name."""
        if not self.m.others:
            return ()
        n, choices = len(self.m.slot_of), self.choices
        each = [np.eye(choices)[actions[j]] * (j != m) for j in range(n)]
        return np.concatenate([*each, np.eye(n)[m]])

    @property
    def choices(self):
        """A: the critic's head sees A inputs for each agent's action, and N for the name."""
        n = len(self.m.slot_of)
        head, below = (self.critic[0][name] for name in ("head_0", "encoder_0"))
        return (len(head["weight"]) - len(below["bias"]) - n) // n

    def raw_values(self, seen, shape):
        """At the actions taken, where the critic reads them."""
        out = np.zeros(shape)
        for t, e, m in np.ndindex(*shape):
            slot, x, head = self.value_input(seen, t, e, m)
            beside = self.beside(m, seen["action"][t, e]) if self.m.others else ()
            out[t, e, m] = forward(self.critic[slot], x, beside)[0][head]
        return out

    def mean_values(self, seen, shape, chance):
        """The mean over the others' joint actions, which have probabilities ``chance(t, e, j)[a]``."""
        out, n = np.zeros(shape), len(self.m.slot_of)
        for t, e, m in np.ndindex(*shape):
            slot, x, head = self.value_input(seen, t, e, m)
            p = [np.ones(1) if j == m else chance(t, e, j) for j in range(n)]
            for actions in product(*(range(len(own)) for own in p)):
                weight = np.prod([own[a] for own, a in zip(p, actions, strict=True)])
                out[t, e, m] += weight * forward(self.critic[slot], x, self.beside(m, actions))[0][head]
        return out

    def all_values(self, ro, shape):
        """The network's outputs for what it is trained on, values, and values of where the steps led."""
        raw, final = self.raw_values(ro, shape), ro["final"]
        if self.m.others:
            mean = self.mean_values(ro, shape, lambda t, e, j: np.exp(ro["behaviour"][t, e, j]))
            ahead = self.mean_values(final, shape, lambda t, e, j: np.exp(self.policy(final, t, e, j)[0]))
        else:
            mean, ahead = raw, self.raw_values(final, shape)
        ahead = self.denormalise(ahead)
        if ro["individual"]:  # who died has no reward to come
            ahead = np.where(final["alive"], ahead, 0.0)
        return raw, self.denormalise(mean), ahead

    def denormalise(self, y):
        if self.norm.ones == 0.0:
            return y
        mean, variance = self.norm.moments()
        return y * np.sqrt(max(variance, self.norm.floor)) + mean

    def fit_critic(self, ro, old, target, epochs, key):
        alive = ro["alive"] if target.shape[-1] == len(self.m.slot_of) else ro["alive"].any(-1, keepdims=True)
        weight = alive.astype(float)
        self.norm.update(target, weight)
        goal = self.norm.normalise(target)
        environments = target.shape[1]
        for rows in np.asarray(minibatch_rows(key, target[..., 0].size, epochs, self.m.minibatches)):
            total = [zeros(p) for p in self.critic]
            count = [0.0] * len(self.critic)
            for row in rows:
                t, e = divmod(int(row), environments)
                for m in range(target.shape[-1]):
                    slot, x, head = self.value_input(ro, t, e, m)
                    out, seen = forward(self.critic[slot], x, self.beside(m, ro["action"][t, e]))
                    slope = np.zeros(len(out))
                    slope[head] = self.value_slope(out[head], goal[t, e, m], old[t, e, m])
                    add(total[slot], backward(self.critic[slot], seen, slope), weight[t, e, m])
                    count[slot] += weight[t, e, m]
            for slot, gradient in enumerate(total):
                mean = zeros(gradient)
                add(mean, gradient, 1.0 / max(count[slot], 1.0))
                adam(self.critic[slot], self.critic_state[slot], mean, self.m.critic_rate, self.m.limit)

    def value_slope(self, y, goal, old):
        """Derivative of max(huber(y - goal), huber(old + clip(y - old) - goal)) by y."""
        near = old + np.clip(y - old, -self.m.value_clip, self.m.value_clip)
        if self.loss(y - goal) >= self.loss(near - goal):
            return np.clip(y - goal, -self.m.huber, self.m.huber)
        inside = abs(y - old) <= self.m.value_clip
        return np.clip(near - goal, -self.m.huber, self.m.huber) if inside else 0.0

    def loss(self, error):
        huber = self.m.huber
        return 0.5 * error**2 if abs(error) <= huber else huber * (abs(error) - 0.5 * huber)

    # ---------------------------------------------------------------- turns

    def normalised(self, advantage, alive):
        """Mean 0 and deviation 1 over living agents, of the team or each by itself."""
        wide = np.broadcast_to(np.maximum(self.m.leak * advantage, advantage), alive.shape)
        out = np.zeros(alive.shape)
        groups = (
            [list(range(alive.shape[2]))]
            if self.m.normalise in ("team", "scale")
            else [[i] for i in range(alive.shape[2])]
        )
        for group in groups:
            own, there = wide[:, :, group], alive[:, :, group]
            mean, std = own[there].mean(), own[there].std()
            out[:, :, group] = (own if self.m.normalise == "scale" else own - mean) / (std + 1e-5)
        return out

    def estimate(self, ro, value, next_value, log_ratio, turn):
        """Advantages of the policies as updated so far."""
        args = ro["reward"][..., : value.shape[-1]], value, next_value, ro["terminated"], ro["truncated"], self.m.gamma
        if self.m.trace == "gae":
            return estimators.gae(*args, self.m.lam)
        lam = self.m.lam**2 if self.m.squared and turn > 0 else self.m.lam
        return estimators.preceding_trace(*args, lam, np.exp(log_ratio.sum(-1)))

    def scores(self, advantage, normal, raw, alive, units):
        size = np.abs(np.broadcast_to(advantage, alive.shape))
        if self.m.score == "ratio":
            size = np.abs(normal / np.broadcast_to(raw, alive.shape))
        each = [size[:, :, i][alive[:, :, i]].mean() for i in range(alive.shape[2])]
        return [np.mean([each[i] for i in unit]) for unit in units]

    def clip_ranges(self, log_ratio, position, lap, trained):
        n = len(self.m.slot_of)
        if self.m.clip_range == "position":
            return [self.m.epsilon * (self.m.floor + (1 - self.m.floor) * (position + 1) / lap)] * n
        if self.m.clip_range == "fixed":
            return [self.m.epsilon] * n
        spread = 1 + np.abs(1 - np.exp(log_ratio))
        weight = [np.mean(1 / np.prod([spread[..., j] for j in range(i, n) if j in trained], axis=0))
                  if i in trained else 0.0 for i in range(n)]  # fmt: skip
        return [self.m.epsilon * w / max(weight) for w in weight]

    def choose(self, key, position, scores, left, count):
        """The next ``count`` of the units that are left."""
        draw = np.asarray(jax.random.uniform(key, (len(scores),)))
        if self.m.order == "semi_greedy" and position % 2 == 0:
            tie = np.asarray(jax.random.permutation(key, len(scores)))
            ranked = sorted(left, key=lambda u: (-np.float32(scores[u]), -tie[u]))
        else:
            ranked = sorted(left, key=lambda u: -draw[u])
        return ranked[:count]

    def learn(self, ro, key):
        """One iteration; returns the list of agents trained in each turn."""
        m, n = self.m, len(self.m.slot_of)
        steps, environments = ro["terminated"].shape
        turn_key, critic_key = jax.random.split(key)
        values = n if m.critic == "local" or m.others or ro["individual"] else 1
        raw, value, next_value = self.all_values(ro, (steps, environments, values))
        kept = np.ones((steps, environments)) if m.lenient is None else self.temperatures.kept(ro)
        blocks = m.order == "blocks" or (m.order == "semi_greedy" and m.slots == 1)
        units = [[i] for i in range(n)] if blocks else [m.members(slot) for slot in range(m.slots)]
        lap = {"simultaneous": 1, "random": len(units), "semi_greedy": len(units)}.get(m.order, m.blocks)
        lap = m.blocks if blocks else lap
        turns = lap * -(-m.epochs // lap) if blocks else lap
        log_ratio, history, left = np.zeros((steps, environments, n)), [], []
        for turn, key in enumerate(jax.random.split(turn_key, turns)):
            order_key, fit_key, turn_critic_key = jax.random.split(key, 3)
            advantage = self.estimate(ro, value, next_value, log_ratio, turn)
            normal = self.normalised(advantage, ro["alive"])
            if turn % lap == 0:
                left, trained = list(range(len(units))), []
            if lap == 1:
                trained = list(range(n))
            else:
                scores = self.scores(advantage, normal, raw, ro["alive"], units)
                chosen = self.choose(order_key, turn % lap, scores, left, -(-len(units) // lap))
                left = [u for u in left if u not in chosen]
                trained = (trained if blocks else []) + [i for u in chosen for i in units[u]]
            history.append(sorted(trained))
            moving = sorted({m.slot_of[i] for i in trained})
            ranges = self.clip_ranges(log_ratio, turn % lap, lap, trained)
            goal = np.zeros((steps, environments, n))
            if m.trunk:
                self.norm.update(advantage + value, ro["alive"].astype(float))
                goal = self.norm.normalise(advantage + value)
            epochs = 1 if blocks else m.epochs
            mercy = np.where(np.broadcast_to(advantage, normal.shape) < 0, kept[..., None], 1.0)
            self.fit_actors(ro, normal, mercy, log_ratio, trained, moving, ranges, epochs, fit_key, goal, raw)
            if turns > 1:
                for t, e, i in np.ndindex(steps, environments, n):
                    if m.slot_of[i] in moving:
                        log_ratio[t, e, i] = self.log_ratio(ro, t, e, i) if ro["alive"][t, e, i] else 0.0
            if m.critic_in_turns:
                self.fit_critic(ro, raw, advantage + value, -(-m.critic_epochs // turns), turn_critic_key)
        if not m.critic_in_turns and not m.trunk:
            advantage = self.estimate(ro, value, next_value, log_ratio, turns)
            self.fit_critic(ro, raw, advantage + value, m.critic_epochs, critic_key)
        if m.lenient is not None:
            self.temperatures.cool(ro)
        return history

    def fit_actors(self, ro, normal, mercy, log_ratio, trained, moving, ranges, epochs, key, goal, old):
        m, n, environments = self.m, len(self.m.slot_of), ro["terminated"].shape[1]
        batches = []
        for rows in np.asarray(minibatch_rows(key, ro["terminated"].size, epochs, m.minibatches)):
            total, count = {s: zeros(self.actor[s]) for s in moving}, dict.fromkeys(moving, 0.0)
            if m.penalty:
                batches.append(self.measured(ro, rows, trained))
            for row in rows:
                t, e = divmod(int(row), environments)
                for i in trained:
                    if not ro["alive"][t, e, i]:
                        continue
                    inside = outside = 1.0
                    others = [j for j in range(n) if j != i and ro["alive"][t, e, j]]
                    before = np.exp(sum(log_ratio[t, e, j] for j in others))
                    if m.weight == "others":
                        now = np.exp(sum(self.log_ratio(ro, t, e, j) for j in others))
                        inside = np.clip(now, 1 - m.bound, 1 + m.bound)
                    elif m.weight == "outside":
                        outside = before
                    elif m.weight == "inside":
                        inside = before
                    elif m.weight == "bounded":
                        inside = np.clip(before, 1 - m.bound, 1 + m.bound)
                    if normal[t, e, i] < 0:
                        outside *= m.eta
                    outside *= mercy[t, e, i]
                    by_value = 0.0
                    if m.trunk:
                        slot, x, head = self.value_input(ro, t, e, i)
                        by_value = self.value_slope(forward(self.actor[slot], x)[0][head], goal[t, e, i], old[t, e, i])
                    weights = inside, outside, ranges[i]
                    mean = batches[-1]["kl"][i] if m.penalty else 0.0
                    gradient = self.actor_gradient(ro, t, e, i, normal[t, e, i], *weights, by_value, mean)
                    add(total[m.slot_of[i]], gradient, 1.0)
                    count[m.slot_of[i]] += 1.0
            for slot in moving:
                mean = zeros(total[slot])
                add(mean, total[slot], 1.0 / max(count[slot], 1.0))
                adam(self.actor[slot], self.actor_state[slot], mean, m.rate, m.limit)
        if m.penalty:
            self.adapt(ro, batches[-m.minibatches :], trained)

    def measured(self, ro, rows, trained):
        """Each agent's mean KL and mean root of KL over a minibatch."""
        found = {"kl": {}, "root": {}}
        for i in trained:
            places = [divmod(int(row), ro["terminated"].shape[1]) for row in rows]
            each = np.array([self.divergence(ro, t, e, i) for t, e in places if ro["alive"][t, e, i]])
            each = np.maximum(each, 0.0) if each.size else np.zeros(1)
            found["kl"][i], found["root"][i] = each.mean(), np.sqrt(each + 1e-12).mean()
        return found
