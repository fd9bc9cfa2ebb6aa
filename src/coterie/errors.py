"""The error of every border, in a module that imports nothing: worker processes raise it too, and need no JAX."""


class CoterieError(Exception):
    """Bad input, met at a border of the library: one line that says what is wrong and what to do."""
