"""Trained networks put to use: predictions on own pictures, other formats and smaller networks."""
