"""Networks and studies on the Hugging Face Hub: pushed with a card made of their records, pulled as data of anybody."""

from .errors import HubError, HubUnreachable
from .load import describe, load
from .pull import local_runs

__all__ = ["HubError", "HubUnreachable", "describe", "load", "local_runs"]
