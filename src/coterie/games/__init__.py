"""Games that run inside compiled code."""
