"""Leniency as a dictionary that is walked through step by step: a temperature for every state and joint action."""

import numpy as np


class Temperatures:
    """All at ``start``; a state goes by the place of its largest entry."""

    def __init__(self, scale=1.0, start=1.0, rho=-0.01, base=0.9, decay=0.9998):
        self.scale, self.start, self.rho, self.base, self.decay = scale, start, rho, base, decay
        self.table, self.ceiling = {}, start

    def place(self, ro, t, e):
        return int(np.argmax(ro["state"][t, e])), *(int(a) for a in ro["action"][t, e])

    def kept(self, ro):
        """1 - l of every step: what is left of a bad outcome."""
        out = np.zeros(ro["terminated"].shape)
        for t, e in np.ndindex(*out.shape):
            temperature = min(self.table.get(self.place(ro, t, e), self.start), self.ceiling)
            out[t, e] = np.exp(-self.scale * temperature)
        return out

    def cool(self, ro):
        """All that was met on the way to an end, by the mean of its exponents; then the ceiling."""
        ended, met = ro["terminated"] | ro["truncated"], {}
        for t, e in np.ndindex(*ended.shape):
            ends = [k for k in range(t, len(ended)) if ended[k, e]]
            if ends:
                met.setdefault(self.place(ro, t, e), []).append(self.base ** (ends[0] - t))
        for place, exponents in met.items():
            self.table[place] = self.table.get(place, self.start) * np.exp(self.rho * np.mean(exponents))
        self.ceiling *= self.decay
