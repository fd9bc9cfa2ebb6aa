"""Derivatives of plain NumPy arithmetic, backwards along the numbers as they came about: losses are written as loops.

Vectors and numbers only, and a vector times a matrix; a number meets a vector, no other shapes mix.
"""

import itertools

import numpy as np

_count = itertools.count()


class Var:
    """A number or an array, and what it was made of: pairs of a ``Var`` and the rule that passes a slope on to it."""

    __array_ufunc__ = None  # NumPy's own operators leave the work to this class

    def __init__(self, value, *made):
        self.value, self.made, self.number = np.asarray(value, np.float64), made, next(_count)
        self.slope = np.zeros_like(self.value)

    def __add__(self, other):
        other = var(other)
        return Var(self.value + other.value, (self, lambda g: fitted(g, self)), (other, lambda g: fitted(g, other)))

    def __mul__(self, other):
        a, b = self, var(other)
        to_a, to_b = (lambda g: fitted(g * b.value, a)), (lambda g: fitted(g * a.value, b))
        return Var(a.value * b.value, (a, to_a), (b, to_b))

    def __sub__(self, other):
        return self + var(other) * -1.0

    def __rsub__(self, other):
        return self * -1.0 + other

    def __matmul__(self, other):
        x, w = self, var(other)
        return Var(x.value @ w.value, (x, lambda g: w.value @ g), (w, lambda g: np.outer(x.value, g)))

    def __getitem__(self, place):
        def back(g):
            out = np.zeros_like(self.value)
            out[place] = g
            return out

        return Var(self.value[place], (self, back))

    __radd__, __rmul__ = __add__, __mul__


def var(x):
    return x if isinstance(x, Var) else Var(x)


def fitted(slope, to):
    """Where a number met a vector, it moved all of its entries."""
    return slope if np.shape(slope) == to.value.shape else np.sum(slope)


def _each(x, value, slope):
    return Var(value, (x, lambda g: g * slope))


def relu(x):
    return _each(x, np.maximum(x.value, 0.0), (x.value > 0).astype(float))


def elu(x):
    return _each(x, np.where(x.value > 0, x.value, np.expm1(x.value)), np.where(x.value > 0, 1.0, np.exp(x.value)))


def tanh(x):
    y = np.tanh(x.value)
    return _each(x, y, 1.0 - y * y)


def sigmoid(x):
    y = 1.0 / (1.0 + np.exp(-x.value))
    return _each(x, y, y * (1.0 - y))


def absolute(x):
    return _each(x, np.abs(x.value), np.sign(x.value))


def below_0(x):
    return _each(x, np.minimum(x.value, 0.0), (x.value < 0).astype(float))


def total(x):
    return Var(x.value.sum(), (x, lambda g: np.full(x.value.shape, g)))


def held(x):
    """The number alone: nothing is passed on."""
    return Var(x.value)


def joined(*parts):
    parts = [var(np.atleast_1d(x)) if not isinstance(x, Var) else x for x in parts]
    ends = np.cumsum([0, *(x.value.size for x in parts)])
    made = [(x, lambda g, a=a, b=b, x=x: g[a:b].reshape(x.value.shape))
            for x, a, b in zip(parts, ends, ends[1:], strict=False)]  # fmt: skip
    return Var(np.concatenate([np.atleast_1d(x.value) for x in parts]), *made)


def differentiate(loss):
    """Leave d loss / d v in ``v.slope`` of everything that the loss was made of."""
    reached, stack = {}, [loss]
    while stack:
        now = stack.pop()
        if now.number not in reached:
            reached[now.number] = now
            stack += [v for v, _ in now.made]
    loss.slope = np.ones_like(loss.value)
    for _, now in sorted(reached.items(), reverse=True):
        for v, rule in now.made:
            v.slope = v.slope + rule(now.slope)


def network(p, x, h=None, act=relu):
    """The outputs of one input vector and the memory after it; ``p`` is one slot, a dictionary of layers.

    ``h`` is the memory before it, of a network that has one.
    """
    x = var(x)
    for name in sorted(name for name in p if name.startswith("encoder")):
        x = act(x @ p[name]["weight"] + p[name]["bias"])
    if "memory" in p:
        q, size, h = p["memory"], h.value.size, var(h)
        r, z, n = slice(0, size), slice(size, 2 * size), slice(2 * size, 3 * size)
        own, carried = x @ q["weight"] + q["bias"], h @ q["recurrent_weight"]
        update = sigmoid(own[z] + carried[z])
        fresh = tanh(own[n] + sigmoid(own[r] + carried[r]) * (carried[n] + q["recurrent_bias"]))
        x = h = (1.0 - update) * fresh + update * h
    return x @ p["output"]["weight"] + p["output"]["bias"], h
