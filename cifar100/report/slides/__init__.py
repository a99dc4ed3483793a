"""A deck of native, editable slides; see deck.py."""

from .deck import write_slides

__all__ = ["write_slides"]
