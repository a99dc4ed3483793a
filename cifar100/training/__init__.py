"""The training loop and what it needs: arguments, averaged weights, checkpoints."""
