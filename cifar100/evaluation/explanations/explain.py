"""The explanations by name."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from cifar100.base.errors import UserError
from cifar100.base.text import near
from cifar100.base.values import check_whole
from cifar100.evaluation.explanations.confused import confused_pairs
from cifar100.evaluation.explanations.gradcam import gradcam, require_captum
from cifar100.evaluation.explanations.hardest import hardest
from cifar100.evaluation.explanations.misclassified import misclassified
from cifar100.evaluation.explanations.subject import Subject
from cifar100.record import RecordError

log = logging.getLogger(__name__)
EXPLANATIONS: dict[str, Callable[[Subject], list[str]]] = {
    "gradcam": gradcam,
    "confused": confused_pairs,
    "hardest": hardest,
    "misclassified": misclassified,
}
LISTED = "explanations.json"


def check_explanations(names: str | Sequence[str] | None, samples: int) -> tuple[str, ...]:
    """The names, each once, in the order of `EXPLANATIONS`.

    Raises:
        ValueError: in one line, for an unknown name, a missing library, or samples that are no count.
    """
    names = [str(name) for name in names] if isinstance(names, list | tuple) else [str(names)] if names else []
    for name in names:
        if name not in EXPLANATIONS:
            raise UserError(f"explain={name} is unknown{near(name, EXPLANATIONS)}")
    check_whole("samples", samples, most=400, cure=", such as 16")
    if "gradcam" in names:
        require_captum()
    return tuple(name for name in EXPLANATIONS if name in names)


def write_explanations(subject: Subject, names: Sequence[str]) -> None:
    """Writes the named explanations under evaluation/explanations/, and in explanations.json what each is of."""
    record, listed = subject.run.record, subject.file(LISTED)
    listing: dict[str, Any] = {}
    with suppress(RecordError):  # a damaged list is replaced
        listing = {name: each for name, each in (record.read_json(listed) or {}).items() if name in EXPLANATIONS}
    for name in names:
        log.info("explaining: %s", name)
        files = EXPLANATIONS[name](subject)
        listing[name] = {
            "files": files,
            "checkpoint": subject.run.checkpoint,
            "epoch": subject.run.epoch,
            "data_fingerprint": subject.run.data.fingerprint,
        }
        record.write_json(listed, listing)
        log.info("written to %s: %s", record.evaluation_path(listed).parent, ", ".join(files))
