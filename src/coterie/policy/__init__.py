"""On-policy learning: the parts of a policy-gradient method and the learner that runs them."""
