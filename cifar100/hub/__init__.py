"""Networks and studies on the Hugging Face Hub: pushed with a card made of their records, pulled as data of anybody."""

from cifar100.base.errors import HubError, HubUnreachable
from cifar100.hub.load import describe, load
from cifar100.hub.pull import local_runs

__all__ = ["HubError", "HubUnreachable", "describe", "load", "local_runs"]
