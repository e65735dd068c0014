"""Rules that cross: models, bounds, exchanges, the tie rule."""
