"""A deck of native, editable slides; see deck.py."""

from cifar100.report.renderers.slides.deck import write_slides

__all__ = ["write_slides"]
