"""Off-policy learning: values of actions, what they are mixed of, and policies that climb them."""
