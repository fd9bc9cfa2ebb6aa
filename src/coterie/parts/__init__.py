"""What both kinds of learner are made of: networks in slots, gradient steps, teams at play, temperatures."""
