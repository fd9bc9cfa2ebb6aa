"""A stand-in for gfootball: what the bridge uses of it, as a game on a line."""

import sys

print("gfootball greets on stdout")  # as pygame and the engine do, where the bridge's messages must not be disturbed
print("and warns on stderr", file=sys.stderr)
