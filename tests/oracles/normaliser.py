"""MAPPO's value normalisation as its code has it: averages of x, of x squared and of ones."""

import numpy as np


class ValueNorm:
    def __init__(self, beta, floor=1e-2):
        self.beta, self.floor, self.mean, self.square, self.ones = beta, floor, 0.0, 0.0, 0.0

    def update(self, x, weights):
        beta, keep = self.beta, weights / weights.sum()
        self.mean = beta * self.mean + (1 - beta) * np.sum(keep * x)
        self.square = beta * self.square + (1 - beta) * np.sum(keep * x * x)
        self.ones = beta * self.ones + (1 - beta)

    def moments(self):
        mean = self.mean / self.ones
        return mean, self.square / self.ones - mean**2

    def normalise(self, x):
        mean, variance = self.moments()
        return (x - mean) / np.sqrt(max(variance, self.floor))
