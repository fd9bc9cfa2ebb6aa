"""Campaigns: many runs, one page, every result with an interval."""
