"""Games of other libraries here, and games of the house there."""
