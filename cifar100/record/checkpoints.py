"""The checkpoints of a run directory: `last`, the one before it, and `best`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cifar100.base.errors import RecordError, UserError
from cifar100.record.checkpoint import load_tensors, save_tensors
from cifar100.record.evaluation_files import inside

if TYPE_CHECKING:
    from torch import Tensor

log = logging.getLogger(__name__)
CHECKPOINTS = ("last", "best")


class Checkpoints:
    """Readers and writers of `<run>/checkpoints/<name>.safetensors`."""

    path: Path
    _in_place: Callable[[], AbstractContextManager[None]]
    _last_is_damaged = False

    def checkpoint_path(self, name: str) -> Path:
        if name not in CHECKPOINTS:
            raise UserError(f"checkpoint={name!r} must be one of {', '.join(CHECKPOINTS)}")
        return inside(self.path, f"checkpoints/{name}.safetensors")

    def has_checkpoint(self, name: str) -> bool:
        return self.checkpoint_path(name).is_file()

    def save_checkpoint(self, name: str, tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
        """Replace the checkpoint `last` or `best`: one file, so tensors and state always belong together.

        The `last` that is replaced stays beside the new one as `previous`, unless it was found damaged.
        """
        path = self.checkpoint_path(name)
        keep = self._previous if name == "last" and not self._last_is_damaged else None
        with self._in_place():
            save_tensors(path, tensors, state, keep)
        self._last_is_damaged = False

    def load_checkpoint(self, name: str, take: Callable[..., Any] = lambda *parts: parts) -> Any:
        """The result of `take` on the tensors and the state of a checkpoint, by default both as a pair; of that before
        it, with a warning, where `last` is damaged or `take` refuses it by a UserError.

        Raises RecordError where it is missing, or damaged or refused and nothing good came before.
        """
        try:
            return _taken_by(take, self.checkpoint_path(name))
        except RecordError as error:
            if name != "last" or not self._previous.is_file():
                raise
            with suppress(RecordError):
                checkpoint = _taken_by(take, self._previous)
                self._last_is_damaged = True
                log.warning("%s; falling back to the checkpoint before it", error)
                return checkpoint
            raise

    @property
    def _previous(self) -> Path:
        return inside(self.path, "checkpoints/previous.safetensors")


def _taken_by(take: Callable[..., Any], path: Path) -> Any:
    try:
        return take(*load_tensors(path))
    except RecordError:
        raise
    except UserError as error:
        raise RecordError(path, str(error)) from error
