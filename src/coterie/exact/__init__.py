"""Tabular Dec-MDPs solved exactly, and the claims of the papers checked on them by enumeration."""
