"""Distributions by enumeration and by scipy, one agent at a time in float64."""

import itertools

import numpy as np
from scipy import integrate, stats


def categorical(raw, legal):
    """Probabilities of the choices of one component; zero where illegal."""
    p = np.where(legal, np.exp(np.asarray(raw, np.float64) - np.max(np.where(legal, raw, -np.inf))), 0.0)
    return p / p.sum()


def joint(raw, legal):
    """Joint probabilities of all components' choices, ``{(choice, ...): probability}``."""
    parts = [categorical(r, m) for r, m in zip(raw, legal, strict=True)]
    every = itertools.product(*(range(len(p)) for p in parts))
    return {c: float(np.prod([p[i] for p, i in zip(parts, c, strict=True)])) for c in every}


def entropy(table):
    """Entropy of a table of probabilities."""
    return -sum(p * np.log(p) for p in table.values() if p > 0)


def kl(old, new):
    """KL(old || new) of two tables."""
    return sum(p * np.log(p / new[c]) for c, p in old.items() if p > 0)


def squashed_density(a, mean, std):
    """Density of a = tanh(u), u ~ N(mean, std), by the change of variables."""
    return stats.norm.pdf(np.arctanh(a), mean, std) / (1.0 - a * a)


def squashed_entropy(mean, std):
    """-E[log density] of tanh(u), by adaptive quadrature over u."""

    def integrand(u):
        slope = 2.0 * (np.log(2.0) - np.abs(u) - np.log1p(np.exp(-2.0 * np.abs(u))))
        return stats.norm.pdf(u, mean, std) * (slope - stats.norm.logpdf(u, mean, std))

    return integrate.quad(integrand, mean - 12 * std, mean + 12 * std, limit=400)[0]
