"""One figure per module, drawn from tables."""
