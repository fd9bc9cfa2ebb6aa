"""The value-based methods as plain loops over sequences, steps and agents, in float64 NumPy.

Networks, mixings, targets, weights, Adam and target networks are written out; derivatives come from ``tape``. All
parameters are lists of slots: ``actor``, and the critic's modules by name. Nothing of the library is used.
"""

import copy
from dataclasses import dataclass

import numpy as np

from tests.oracles.mixing import mixed
from tests.oracles.tape import Var, below_0, differentiate, joined, network


@dataclass
class Method:
    """A method by its plain name and numbers; ``slot_of`` says which agents share parameters."""

    slot_of: tuple
    mixing: str = "total"  # apart, monotone, duplex
    central: str = ""  # free, transformed
    weight: str = "one"  # hysteretic, promising, mercy
    share: float = 1.0  # beta or alpha
    returns: str = "n"  # lambda
    steps: int = 1
    trace: float = 0.8
    double: bool = True
    individual: bool = False  # rewards
    opt: float = 1.0
    other: float = 0.1
    gamma: float = 0.95
    unit: float = 1.0
    every: int = 0  # of a hard target; 0: it follows at rate ``follow``
    follow: float = 0.1
    rate: float = 3e-3
    critic_rate: float = 2e-3
    limit: float = 0.5

    @property
    def shared(self):
        """Agents that share parameters see their own index."""
        return len(set(self.slot_of)) < len(self.slot_of)


def leaves(tree, path=()):
    """The arrays of nested dictionaries by their paths."""
    if not isinstance(tree, dict):
        return {path: tree}
    return {k: v for name, sub in tree.items() for k, v in leaves(sub, (*path, name)).items()}


def mapped(function, tree):
    return {k: mapped(function, v) for k, v in tree.items()} if isinstance(tree, dict) else function(tree)


class Adam:
    """One slot's moments."""

    def __init__(self):
        self.count, self.mean, self.square = 0, {}, {}

    def step(self, tree, gradient, rate, limit, epsilon=1e-5):
        """The tree after a step down."""
        norm = np.sqrt(sum((g**2).sum() for g in leaves(gradient).values()))
        scale = min(1.0, limit / max(norm, 1e-12))
        self.count += 1
        moved = copy.deepcopy(tree)
        for path, g in leaves(gradient).items():
            self.mean[path] = 0.9 * self.mean.get(path, 0.0) + 0.1 * scale * g
            self.square[path] = 0.999 * self.square.get(path, 0.0) + 0.001 * (scale * g) ** 2
            mean, square = self.mean[path] / (1 - 0.9**self.count), self.square[path] / (1 - 0.999**self.count)
            holder = moved
            for name in path[:-1]:
                holder = holder[name]
            holder[path[-1]] = holder[path[-1]] - rate * mean / (np.sqrt(square) + epsilon)
        return moved


class Twin:
    """``params`` and ``target`` are ``{name: [slot, ...]}``; a batch is a dictionary of arrays ``[L, R, ...]``."""

    def __init__(self, method, params):
        self.m, self.params, self.target, self.count = method, params, copy.deepcopy(params), 0
        self.adam = {name: [Adam() for _ in slots] for name, slots in params.items()}

    # ---------------------------------------------------------------- utilities

    def utilities(self, slots, local, i, h):
        """What agent i's network puts out, and its memory."""
        n = len(self.m.slot_of)
        x = np.concatenate([local[i], np.eye(n)[i]]) if self.m.shared else local[i]
        return network(slots[self.m.slot_of[i]], x, h)

    def unroll(self, slots, b, r, stored=True):
        """Outputs and memories of every step and agent of sequence r."""
        n, size = len(self.m.slot_of), b["carry"].shape[-1]
        h = [Var(b["carry"][r, i] if stored else np.zeros(size)) for i in range(n)]
        outputs, memories = [], []
        for t in range(len(b["reward"])):
            if b["reset"][t, r]:
                h = [Var(np.zeros(size)) for _ in range(n)]
            now = [self.utilities(slots, b["local"][t, r], i, h[i]) for i in range(n)]
            h = [memory for _, memory in now]
            outputs.append([raw for raw, _ in now])
            memories.append(h)
        return outputs, memories

    def after(self, slots, b, r, memories):
        """Outputs for what every step led to."""
        final = b["final"]["local"]
        return [[self.utilities(slots, final[t, r], i, h[i])[0] for i in range(len(h))]
                for t, h in enumerate(memories)]  # fmt: skip

    def greedy(self, raw, legal):
        """Every agent's best legal choice."""
        return [int(np.argmax(np.where(legal[i], q.value, -np.inf))) for i, q in enumerate(raw)]

    def chosen(self, raw, alive, action):
        return [q[a] if alive[i] else Var(0.0) for i, (q, a) in enumerate(zip(raw, action, strict=True))]

    def onehots(self, raw, alive, action):
        return [np.eye(q.value.size)[a] * alive[i] for i, (q, a) in enumerate(zip(raw, action, strict=True))]

    @property
    def mortal(self):
        """Whether every agent's own value ends with it: only where rewards are its own."""
        return self.m.mixing == "apart" and self.m.individual

    def mix(self, p, seen, raw, action):
        """The mixture's values at a joint action; ``seen`` is (state, legal, alive)."""
        state, legal, alive = seen
        if self.m.mixing == "apart":
            return [q[a] for q, a in zip(raw, action, strict=True)]
        best = self.chosen(raw, alive, self.greedy(raw, legal))
        own = p["mixing"][0] if "mixing" in p else {}
        actions = self.onehots(raw, alive, action)
        return mixed(self.m.mixing, own, state, self.chosen(raw, alive, action), best, actions)

    def central(self, p, seen, raw, action):
        """The central value of a joint action."""
        state, _, alive = seen
        if self.m.central == "free":
            return mixed("free", p["central_mixing"][0], state, self.chosen(raw, alive, action), (), ())[0]
        return network(p["central_joint"][0], joined(state, *self.onehots(raw, alive, action)))[0][0]

    # ---------------------------------------------------------------- targets

    def following(self, p, b, r, memories):
        """The target networks' values of the best actions after every step, ``[L][M]`` numbers."""
        target, out, final = self.target, [], b["final"]
        later = self.after(target["actor"], b, r, self.unroll(target["actor"], b, r)[1])
        chooser = self.after(p["actor"], b, r, memories) if self.m.double else later
        if self.m.central == "free":
            _, blank = self.unroll(target["central_net"], b, r, stored=False)
            later = self.after(target["central_net"], b, r, blank)
        for t, raw in enumerate(later):
            seen = final["state"][t, r], final["legal"][t, r], final["alive"][t, r]
            action = self.greedy(chooser[t], seen[1])
            value = [self.central(target, seen, raw, action)] if self.m.central else self.mix(target, seen, raw, action)
            out.append([float(v.value) for v in value])
        return out

    def earned(self, b, r):
        """Rewards ``[L][M]`` in units; the dead earn none where rewards are each agent's own."""
        rows = [b["reward"][t, r] / self.m.unit for t in range(len(b["reward"]))]
        if self.m.mixing == "apart":
            return [row * b["alive"][t, r] if self.mortal else row for t, row in enumerate(rows)]
        return [[row.sum() if self.m.individual else row[0]] for row in rows]

    def targets(self, b, r, following):
        """y of every step: what was earned until an episode or the sequence ends, then the value of what follows."""
        reward, length = self.earned(b, r), len(following)
        out = np.zeros((length, len(following[0])))
        for t, m in np.ndindex(*out.shape):
            out[t, m] = self.target_from(b, r, t, m, reward, following, self.m.steps)
        return out

    def target_from(self, b, r, t, m, reward, following, steps):
        gamma = self.m.gamma
        dead = self.mortal and not b["final"]["alive"][t, r, m]
        ahead = 0.0 if b["terminated"][t, r] or dead else gamma * following[t][m]
        if b["terminated"][t, r] or b["truncated"][t, r] or t == len(following) - 1:
            return reward[t][m] + ahead
        if self.m.returns == "lambda":
            later = self.target_from(b, r, t + 1, m, reward, following, steps)
            return reward[t][m] + (1 - self.m.trace) * ahead + self.m.trace * gamma * later
        if steps == 1:
            return reward[t][m] + ahead
        return reward[t][m] + gamma * self.target_from(b, r, t + 1, m, reward, following, steps - 1)

    # ---------------------------------------------------------------- loss

    def loss(self, p, b):
        """The mean over values that count, of each slot where agents have values of their own."""
        slots = max(self.m.slot_of) + 1 if self.m.mixing == "apart" else 1
        out, count = [Var(0.0) for _ in range(slots)], np.zeros(slots)
        for r in range(b["reward"].shape[1]):
            raw, memories = self.unroll(p["actor"], b, r)
            y = self.targets(b, r, self.following(p, b, r, memories))
            beside = self.unroll(p["central_net"], b, r, stored=False)[0] if self.m.central == "free" else raw
            for t in range(len(raw)):
                seen = b["state"][t, r], b["legal"][t, r], b["alive"][t, r]
                action = b["action"][t, r]
                value = self.mix(p, seen, raw[t], action)
                if self.m.central:
                    out[0] = out[0] + self.team_loss(p, b, seen, raw[t], beside[t], action, value[0], y[t, 0])
                    count[0] += 1
                    continue
                for m, v in enumerate(value):
                    if not self.mortal or seen[2][m]:
                        slot = self.m.slot_of[m] if self.m.mixing == "apart" else 0
                        error = y[t, m] - v
                        out[slot] = out[slot] + error * error * self.weight(error.value, b["mercy"][t, r, m])
                        count[slot] += 1
        return sum((part * (1.0 / max(n, 1.0)) for part, n in zip(out, count, strict=True)), Var(0.0))

    def team_loss(self, p, b, seen, raw, beside, action, value, y):
        """With a central value."""
        greedy = self.greedy(raw, seen[1])
        central = self.central(p, seen, beside, action)
        best = float(self.central(p, seen, beside, greedy).value)
        error, own = y - value, y - central
        if self.m.central == "free":
            alike = all(a == g or not there for a, g, there in zip(action, greedy, seen[2], strict=True))
            return own * own + error * error * self.weight(error.value, 1.0, alike or y > best)
        base = network(p["central_base"][0], seen[0])[0][0]
        agree = self.mix(p, seen, raw, greedy)[0] - best + base
        bound = below_0(value - float(central.value) + base)
        return own * own + agree * agree * self.m.opt + bound * bound * self.m.other

    def weight(self, error, mercy, promising=True):
        if self.m.weight == "promising":
            return 1.0 if promising else self.m.share
        if error >= 0 or self.m.weight == "one":
            return 1.0
        return mercy if self.m.weight == "mercy" else self.m.share

    def step(self, b):
        """One gradient step, then the targets follow."""
        p = {name: [mapped(Var, slot) for slot in slots] for name, slots in self.params.items()}
        loss = self.loss(p, b)
        differentiate(loss)
        self.count += 1
        for name, slots in p.items():
            rate = self.m.rate if name == "actor" else self.m.critic_rate
            for i, slot in enumerate(slots):
                gradient = mapped(lambda v: v.slope, slot)
                self.params[name][i] = self.adam[name][i].step(self.params[name][i], gradient, rate, self.m.limit)
                self.target[name][i] = self.followed(self.target[name][i], self.params[name][i])
        return float(loss.value)

    def followed(self, old, new):
        if isinstance(old, dict):
            return {name: self.followed(old[name], new[name]) for name in old}
        if self.m.every:
            return new.copy() if self.count % self.m.every == 0 else old
        return old + self.m.follow * (new - old)
