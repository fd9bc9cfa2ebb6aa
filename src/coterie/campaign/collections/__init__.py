"""Collections of the house, one module each; a module defines ``collection``."""
