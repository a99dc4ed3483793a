"""Training arguments: the library's names and checks, plus the ranges that it leaves unchecked."""

import sys
from typing import Any

import torch

AT_LEAST = {
    "num_train_epochs": 0,
    "per_device_train_batch_size": 1,
    "per_device_eval_batch_size": 1,
    "gradient_accumulation_steps": 1,
    "max_grad_norm": 0,
    "label_smoothing_factor": 0,
    "dataloader_num_workers": 0,
}


def training_arguments(**fields: Any):
    """``transformers.TrainingArguments`` of ``fields``, on a GPU where there is one.

    ``use_cpu`` follows the hardware, since the library refuses ``bf16`` on a machine without a GPU otherwise.

    Returns:
        transformers.TrainingArguments

    Raises:
        ValueError: a value out of range, a fraction of an epoch, or ``fp16`` without a GPU.
    """
    for name, least in AT_LEAST.items():
        value = fields.get(name, least)
        if isinstance(value, bool) or not isinstance(value, int | float) or not value >= least:
            raise ValueError(f"trainer.{name}={value} must be at least {least}")
        if name not in ("max_grad_norm", "label_smoothing_factor") and value != int(value):
            raise ValueError(f"trainer.{name}={value} must be a whole number")
    if fields.get("label_smoothing_factor", 0) >= 1:
        raise ValueError(f"trainer.label_smoothing_factor={fields['label_smoothing_factor']} must be below 1")
    for name in ("bf16", "fp16", "torch_compile", "dataloader_drop_last", "disable_tqdm"):
        if not isinstance(fields.get(name, False), bool):
            raise ValueError(f"trainer.{name}={fields[name]} must be true or false")
    if fields.get("fp16") and fields.get("bf16"):
        raise ValueError("trainer.fp16 and trainer.bf16 cannot both be true; choose one")
    if fields.get("fp16") and not torch.cuda.is_available():
        raise ValueError("trainer.fp16=true needs a GPU; use trainer.bf16=true on this machine")

    from transformers import TrainingArguments

    # torch_compile is left to the loop: as a field it would set process-wide environment variables that outlive a run.
    compile_model = fields.pop("torch_compile", False)
    arguments = TrainingArguments(
        output_dir=None, report_to="none", use_cpu=not torch.cuda.is_available(), save_strategy="no", **fields
    )
    arguments.torch_compile = compile_model
    arguments.disable_tqdm = arguments.disable_tqdm or not sys.stderr.isatty()
    return arguments
