"""Statistics, and the sentences that they support."""
