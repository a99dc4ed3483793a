"""A folder that holds a run already is checked before it is believed: it must be the run that was typed."""

import logging
import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf

from cifar100.base.errors import ConfigError, OtherRun, UserError
from cifar100.config import CONF, RECIPE, build, difference
from cifar100.data.images import ImageData
from cifar100.record import RecordError, RunDirectory
from cifar100.sweep import cores

log = logging.getLogger(__name__)
_compared = False


def check_same_experiment(config: DictConfig, record: RunDirectory) -> None:
    """Refuses a folder, such as ``hydra.run.dir`` may name, whose record is of another experiment.

    Raises:
        OtherRun: naming the first option that differs, or a run whose config.yaml is missing.
    """
    if record.state() is None and not record.has_checkpoint("last"):
        return
    try:
        recorded = record.config()
    except RecordError as error:
        if not record.has_checkpoint("last") and record.state() != "finished":
            return  # cut off before it was described
        raise OtherRun(record.path, f"its experiment is not known ({error}); force=true starts it over") from None
    if other := difference(recorded, config):
        raise OtherRun(
            record.path, f"holds another experiment ({other}); choose another folder, or force=true to start over there"
        )


def check_same_images(record: RunDirectory, data: ImageData) -> None:
    """Refuses images that are not those on which the record's run was trained.

    Raises:
        OtherRun: with both fingerprints.
    """
    recorded = ((record.environment() or {}).get("data") or {}).get("fingerprint")
    if recorded is not None and recorded != data.fingerprint:
        raise OtherRun(
            record.path,
            f"was trained on other images (fingerprint {str(recorded)[:12]}, these have {data.fingerprint[:12]}); name "
            "them by data.path, choose another study=, or force=true to start over on these",
        )


def compare_images_of_finished(config: DictConfig, record: RunDirectory) -> None:
    """As check_same_images, for a finished run, which may be reported where its images cannot be had."""
    try:
        data = build(config.data)
    except (UserError, OSError) as error:
        log.warning("its images could not be compared with those of this command: %s", error)
        return
    check_same_images(record, data)


def keep_threads(record: RunDirectory) -> None:
    """Continues with as many threads as the run began with, since sums in another order have other last bits. Says so
    where OMP_NUM_THREADS asks for another number."""
    hardware = (record.environment() or {}).get("hardware") or {}
    began, now = hardware.get("threads"), torch.get_num_threads()
    if not isinstance(began, int) or began == now or not record.has_checkpoint("last"):
        return
    if "OMP_NUM_THREADS" in os.environ or not 0 < began <= (os.cpu_count() or 1):
        log.warning("this run began with %d threads; with %d its last bits will be others", began, now)
    else:
        torch.set_num_threads(began)


def warn_of_threads() -> None:
    """Says once in a process, before its own first run is part of the load, that a run has more threads than cores are
    free: they would wait for each other in every operation."""
    global _compared
    threads, free = torch.get_num_threads(), max(1, round(cores() - os.getloadavg()[0]))
    if threads > free and not _compared:
        log.warning(
            "%d threads, but about %d of %d cores are free; OMP_NUM_THREADS=%d may be faster, and runs side by side "
            "get their share by hydra/launcher=processes",
            *(threads, free, cores(), free),
        )
    _compared = True


def warn_of_label(config: DictConfig, record: RunDirectory) -> None:
    """Says that a finished run keeps the label that it was trained with."""
    if config.label is not None and config.label != (recorded := record.config().get("label")):
        log.warning("it keeps its label %r; label=%s would need force=true", recorded, config.label)


def check_keys(config: DictConfig, overrides: list[str]) -> None:
    """Refuses what was added to the configuration and nothing reads, such as ``+label_smoothing=0.1``, and values that
    were left open (``???``).

    Raises:
        ConfigError: in one line, with names that come near.
    """
    for part in RECIPE:
        node = config[part]
        if missing := sorted(OmegaConf.missing_keys(node)) if OmegaConf.is_config(node) else []:
            raise ConfigError(f"{missing[0]}=??? is no value; give it one, or leave it out")
    added = [override for override in overrides if override.startswith("+")]
    known, text = (_keys(), OmegaConf.to_yaml(config, resolve=False)) if added else (set(), "")
    for override in added:
        key = override.partition("=")[0]
        name = key.lstrip("+").partition("@")[0].partition(".")[0].partition("/")[0]
        if name in known or re.search(rf"\$\{{\.*{re.escape(name)}[.}}]", text):
            continue
        close = get_close_matches(name, known, n=3) or get_close_matches(name, _options(config), n=3)
        near = f"; did you mean {' or '.join(close)}?" if close else "; leave it out"
        raise ConfigError(f"{override} has no effect: nothing reads {name}{near}")


def _keys() -> set[str]:
    """The top level of a configuration: train.yaml's own keys and the groups."""
    import yaml

    frame = yaml.safe_load((CONF / "train.yaml").read_text(encoding="utf-8"))
    return {*frame, *(folder.name for folder in CONF.iterdir() if folder.is_dir())} - {"defaults"}


def _options(config: DictConfig) -> list[str]:
    """Every option one level down, as it is typed."""
    found = []
    for part in RECIPE:
        node: Any = config[part]
        if isinstance(node, Mapping):
            found += [f"{part}.{key}" for key in node if not str(key).startswith("_")]
    return found
