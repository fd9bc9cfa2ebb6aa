"""Collecting, training, evaluating, and what a run leaves on disk; it knows the protocols and no recipe."""
