"""Training arguments: the library's names and checks, plus the ranges that it leaves unchecked."""

import difflib
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from cifar100.base.errors import UserError
from cifar100.base.values import check_flag, is_finite

COUNTS = {  # whole numbers, and the least of each
    "num_train_epochs": 0,
    "per_device_train_batch_size": 1,
    "per_device_eval_batch_size": 1,
    "gradient_accumulation_steps": 1,
    "dataloader_num_workers": 0,
    "max_steps": -1,
    "save_steps": 0,
}
NUMBERS = ("max_grad_norm", "label_smoothing_factor")
FLAGS = ("bf16", "fp16", "torch_compile", "dataloader_drop_last", "disable_tqdm")
HONOURED = (*COUNTS, *NUMBERS, *FLAGS)


def training_arguments(**fields: Any):
    """``transformers.TrainingArguments`` of ``fields``, on a GPU where there is one.

    ``use_cpu`` follows the hardware, since the library refuses ``bf16`` on a machine without a GPU otherwise. A GPU is
    any accelerator that torch has: NVIDIA's, AMD's, Intel's (xpu), Apple's (mps).

    Returns:
        transformers.TrainingArguments

    Raises:
        ValueError: a field that the loop does not honour, a value out of range, a fraction of an epoch, or ``fp16``
            without a GPU.
    """
    for name in fields:
        if name not in HONOURED:
            close = difflib.get_close_matches(name, HONOURED, n=3)
            cure = f"did you mean {' or '.join(close)}?" if close else f"it honours {', '.join(HONOURED)}"
            raise UserError(f"trainer.{name}={fields[name]} would have no effect on this loop; {cure}")
    fields = {name: _checked(name, value) for name, value in fields.items()}
    if fields.get("fp16") and fields.get("bf16"):
        raise UserError("trainer.fp16 and trainer.bf16 cannot both be true; choose one")
    if fields.get("fp16") and not torch.accelerator.is_available():
        raise UserError("trainer.fp16=true needs a GPU; use trainer.bf16=true on this machine")

    from transformers import TrainingArguments

    # torch_compile is left to the loop: as a field it would set process-wide environment variables that outlive a run.
    compile_model = fields.pop("torch_compile", False)
    with _without_kubeflow():
        arguments = TrainingArguments(
            output_dir=None,
            report_to="none",
            use_cpu=not torch.accelerator.is_available(),
            save_strategy="no",
            **fields,
        )
    arguments.torch_compile = compile_model
    arguments.disable_tqdm = arguments.disable_tqdm or not sys.stderr.isatty()
    return arguments


@contextmanager
def _without_kubeflow() -> Iterator[None]:
    """The constructor asks whether Kubeflow watches the library's own trainer, which this loop is not; to answer, the
    library would import all that its trainer and models need: 1,600 modules, 2 s."""
    from transformers import integrations

    name = "is_kubeflow_available"
    if name in vars(integrations):
        yield
        return
    setattr(integrations, name, lambda: False)
    try:
        yield
    finally:
        delattr(integrations, name)


def length(arguments: Any, steps_per_epoch: int) -> tuple[int, int]:
    """Epochs, the last one perhaps cut short, and optimizer steps of a whole run: ``max_steps`` steps where it is
    given, else ``num_train_epochs`` epochs."""
    if arguments.max_steps > 0:
        return math.ceil(arguments.max_steps / steps_per_epoch), arguments.max_steps
    epochs = int(arguments.num_train_epochs)
    return epochs, epochs * steps_per_epoch


def _checked(name: str, value: Any) -> Any:
    if name in FLAGS:
        return check_flag(f"trainer.{name}", value)
    if not is_finite(value):
        raise UserError(f"trainer.{name}={value} must be a number")
    if value < (least := COUNTS.get(name, 0)):
        raise UserError(f"trainer.{name}={value} must be at least {least}")
    if name == "max_steps" and value == 0:
        raise UserError(f"trainer.{name}={value} must be at least 1, or -1 to count epochs")
    if name == "label_smoothing_factor" and value >= 1:
        raise UserError(f"trainer.{name}={value} must be below 1")
    if name in COUNTS and value != int(value):
        raise UserError(f"trainer.{name}={value} must be a whole number")
    return int(value) if name in COUNTS else value
