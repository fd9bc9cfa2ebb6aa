"""Networks, distributions and parameter sharing: what policies and critics are made of."""
