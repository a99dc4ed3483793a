"""The forward passes of an evaluation: which images, by which weights, in which format, on which processes."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import torch
from accelerate import PartialState

from cifar100.base.errors import UserError
from cifar100.base.text import one_line
from cifar100.data.loader import EvalLoader
from cifar100.evaluation.explanations.other_run import predictions_of
from cifar100.evaluation.open_run import OpenRun, open_run
from cifar100.evaluation.precision import Precision
from cifar100.evaluation.predict import Predictions, predict
from cifar100.record import RunDirectory

log = logging.getLogger(__name__)
AS_TRAINED = "as_trained"


@dataclass(frozen=True)
class Passes:
    """The same for the evaluated run and for one that it is compared with; see `evaluate_run` for the options.

    `mirrored` is whether each image and its mirror image are answered by the means of their probabilities.
    """

    checkpoint: str
    split: str
    precision: str
    batch_size: int
    data_path: str | None
    cache_dir: str | None
    processes: PartialState
    mirrored: bool = False

    def open(self, record: RunDirectory) -> OpenRun:
        """The network and the images of a run. Raises what `open_run` does, and where the split is empty."""
        where = {"data_path": self.data_path, "cache_dir": self.cache_dir, "device": self.processes.device}
        run = open_run(record, checkpoint=self.checkpoint, **where)
        run.images(self.split)
        return run

    def format(self, run: OpenRun) -> Precision:
        """The format in which a run's passes are computed."""
        if self.precision != AS_TRAINED:
            return Precision(self.precision)
        if run.trained is Precision.FP16 and self.processes.device.type == "cpu":
            log.info("trained in fp16, which a CPU has no fast products for: evaluating in float32")
            return Precision.FLOAT32
        return run.trained

    def predictions(self, run: OpenRun) -> Predictions:
        """The answers to the whole split, on every process. Raises UserError for a network that cannot take it."""
        images, processes = run.images(self.split), self.processes
        loader = EvalLoader(
            images,
            mean=run.data.mean,
            std=run.data.std,
            batch_size=self.batch_size,
            num_processes=processes.num_processes,
            process_index=processes.process_index,
            device=processes.device,
        )
        options = {"num_classes": run.data.num_classes, "precision": self.format(run), "mirrored": self.mirrored}
        try:
            return predict(run.model, loader, len(images), **options)
        except (RuntimeError, NotImplementedError, IndexError, TypeError) as error:
            if isinstance(error, torch.OutOfMemoryError) or "memory" in str(error):
                raise
            reason = one_line(error)[:200]
            raise UserError(f"{run.record.path}: its network cannot take these images ({reason})") from error

    def compared(self, other: RunDirectory, run: OpenRun) -> Predictions:
        """The other run's answers to the images of `run`, recorded or made now. Raises what `predictions_of` does."""

        def evaluate() -> tuple[OpenRun, Predictions]:
            log.info("evaluating %s to compare with it", other.name)
            opened = self.open(other)
            return opened, self.predictions(opened)

        precision = None if self.precision == AS_TRAINED else self.precision
        return predictions_of(other, run, self.split, self.checkpoint, precision, evaluate)
