"""Faults of processes, memory and numbers while a run goes on, and how the loop learns of them."""

import signal
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from torch import Tensor, nn

from cifar100.base.errors import Diverged, FailedElsewhere, Interrupted, OutOfMemoryError, ProcessDied, UserError

# Launchers pass on to their processes a signal that the terminal has already sent to all of them.
PATIENCE_S = 2.0
# On a GPU reading a loss waits for it, so losses are looked at in bunches.
BUNCH = 50
# What libraries say in a plain RuntimeError: c10's allocator, cuDNN, cuBLAS.
_OUT_OF_MEMORY = (
    "can't allocate memory",
    "MPS backend out of memory",
    "CUDNN_STATUS_ALLOC_FAILED",
    "CUBLAS_STATUS_ALLOC_FAILED",
)
_ONEDNN_BLOCK = 8  # channels that oneDNN's AVX2 kernels take at once


class StopRequest:
    """The signal that asked the run to stop, if any."""

    signum: int | None = None
    since: float = 0.0

    def _receive(self, signum: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self.signum is None:
            self.signum, self.since = signum, now
        elif now - self.since > PATIENCE_S:
            raise Interrupted(signum)

    def is_shared(self, accelerator: Accelerator, ask: bool = True) -> bool:
        """Whether all processes stop here; several agree on it, where they ``ask`` each other."""
        if accelerator.num_processes == 1:
            return self.signum is not None
        if self.signum is not None:
            accelerator.set_trigger()
        return ask and accelerator.check_trigger()

    def interruption(self) -> Interrupted:
        """The end of a run that was asked to stop, in this process or in another."""
        return Interrupted(self.signum or signal.SIGTERM)


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """SIGTERM and SIGINT set the request; another, PATIENCE_S later, acts at once. Handlers are put back at the end.
    Outside the main thread, where Python takes no handlers, the request stays empty."""
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {signum: signal.signal(signum, request._receive) for signum in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield request
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


class LossWatch:
    """The losses of steps that nobody has looked at yet."""

    def __init__(self, accelerator: Accelerator) -> None:
        self.accelerator = accelerator
        self.unchecked: list[tuple[Tensor, int, int, float]] = []

    def note(self, loss: Tensor, epoch: int, step: int, lr: float) -> None:
        """Takes in a step's loss, and checks: on a CPU at once, on a GPU every BUNCH steps. Raises as check."""
        self.unchecked.append((loss, epoch, step, lr))
        if loss.device.type == "cpu" or len(self.unchecked) >= BUNCH:
            self.check()

    def check(self) -> None:
        """Looks at the losses since the last check. Processes do so together, and stop together.

        Raises:
            Diverged: at the first that is not finite.
        """
        if not self.unchecked:
            return
        losses = torch.stack([loss for loss, *_ in self.unchecked])
        losses = self.accelerator.reduce(losses, reduction="mean").tolist()
        for value, (_, epoch, step, lr) in zip(losses, self.unchecked, strict=True):
            if not abs(value) < float("inf"):
                raise Diverged(epoch, step, lr, value)
        self.unchecked.clear()


@contextmanager
def fail_together(accelerator: Accelerator) -> Iterator[None]:
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
    for message in filter(None, faults):
        raise FailedElsewhere(message)


def check_agreement(accelerator: Accelerator, value: object, what: str) -> None:
    """Raises UserError in all processes where they found different things in what should be the same place."""
    if accelerator.num_processes > 1 and len(set(gather_object([value]))) > 1:
        raise UserError(f"the processes do not all see {what}; put root on a file system that all nodes share")


@contextmanager
def name_lost_processes(accelerator: Accelerator, request: StopRequest) -> Iterator[None]:
    """Names the cause where the block needs a process that is gone, which torch says in a plain RuntimeError.

    Raises:
        Interrupted: the signal that asked this run to stop has ended a compiler, or another process of the run.
        ProcessDied: another process of the run is gone.
    """
    try:
        yield
    except RuntimeError as error:
        if request.signum is not None:
            raise Interrupted(request.signum) from error
        lost = isinstance(error, torch.distributed.DistError) or "gloo" in str(error)
        if accelerator.num_processes > 1 and lost:
            raise ProcessDied() from error
        raise


@contextmanager
def name_memory(activity: str, cure: str) -> Iterator[None]:
    """Names what needed the memory, and the cure.

    Raises:
        OutOfMemoryError: where the block ran out of a GPU's or this machine's memory.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        named = isinstance(error, torch.OutOfMemoryError | MemoryError)
        if not named and not any(words in str(error) for words in _OUT_OF_MEMORY):
            raise
        raise OutOfMemoryError(f"out of memory in {activity}; use {cure}; the last checkpoint is kept") from error


def smaller_batches(size: int, accumulation: int) -> str:
    """The overrides for steps of as many images in smaller batches."""
    if size == 1:
        return "trainer.bf16=true or a smaller network"
    batch, batches = f"per_device_train_batch_size={size // 2}", f"gradient_accumulation_steps={2 * accumulation}"
    return f"trainer.{batch} trainer.{batches}, or trainer.bf16=true"


@contextmanager
def around_onednn(model: nn.Module) -> Iterator[None]:
    """For the block, PyTorch's own convolutions instead of oneDNN's, where those would write past their memory.

    On processors with AVX2 and no AVX-512, oneDNN computes the weight gradient of a strided 1x1 convolution of fewer
    than 8 channels_last channels wrongly, and corrupts the heap: https://github.com/uxlfoundation/oneDNN/issues/6035,
    seen with torch 2.14. No recipe of this project is so narrow; what is typed may be.
    """
    if torch.backends.cpu.get_cpu_capability() != "AVX2" or not any(map(_meets_the_fault, model.modules())):
        yield
        return
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "TF32 acceleration")  # of Intel GPUs, told whatever flag is set
        with torch.backends.mkldnn.flags(enabled=False):
            yield


def _meets_the_fault(module: nn.Module) -> bool:
    if not isinstance(module, nn.Conv2d) or module.weight.device.type != "cpu":
        return False
    narrow = module.in_channels // module.groups < _ONEDNN_BLOCK
    return module.kernel_size == (1, 1) and max(module.stride) > 1 and narrow
