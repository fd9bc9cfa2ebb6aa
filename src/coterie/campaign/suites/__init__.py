"""Suites of the house, one file each; a file defines ``suite``."""
