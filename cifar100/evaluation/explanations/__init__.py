"""Explanations of a run's accuracy: where it looks, what it confuses, where it fails, how it differs from another."""
