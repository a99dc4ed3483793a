"""Memory that does not suffice, told with what was under way and the cure."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from cifar100.training.errors import OutOfMemoryError

_OF_A_CPU = "can't allocate memory"  # c10's allocator raises a plain RuntimeError


@contextmanager
def memory_told(what: str, cure: str) -> Iterator[None]:
    """Names what needed the memory, and the cure.

    Raises:
        OutOfMemoryError: where the block ran out of a GPU's or this machine's memory.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not isinstance(error, torch.OutOfMemoryError | MemoryError) and _OF_A_CPU not in str(error):
            raise
        raise OutOfMemoryError(f"out of memory in {what}; use {cure}; the last checkpoint is kept") from error
