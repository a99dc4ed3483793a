"""A laboratory for CIFAR-100 architecture research: every network is a composition of named primitives."""

__version__ = "0.1.0"
