"""Failures that all processes of a run share."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object

from cifar100.training.errors import FailedElsewhere


@contextmanager
def together(accelerator: Accelerator) -> Iterator[None]:
    """A block that the processes leave together: an error of one ends it in all of them.

    A process that stopped alone, for a full disk or a missing file, would leave the others waiting for it in their next
    common operation, and in a sweep meet them there with the numbers of another job.

    Raises:
        FailedElsewhere: another process failed in the block, this one did not.
    """
    if accelerator.num_processes == 1:
        yield
        return
    fault = None
    try:
        yield
    except Exception as error:
        fault = error
    faults = gather_object([fault and f"process {accelerator.process_index}: {fault or type(fault).__name__}"])
    if fault is not None:
        raise fault
    for told in filter(None, faults):
        raise FailedElsewhere(told)


def check_agreement(accelerator: Accelerator, value: object, what: str) -> None:
    """Refuses to go on where the processes found different things in what should be the same place.

    Raises:
        ValueError: in all processes.
    """
    if accelerator.num_processes > 1 and len(set(gather_object([value]))) > 1:
        raise ValueError(f"the processes do not all see {what}; put root on a file system that all nodes share")


def is_lost_connection(error: RuntimeError) -> bool:
    """Whether a common operation failed since another process is gone; gloo says so in a plain RuntimeError."""
    return isinstance(error, torch.distributed.DistError) or "gloo" in str(error)
