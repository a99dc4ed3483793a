"""The command `python -m cifar100 hub push`: a run becomes a model repository, a study a dataset repository."""

import logging
from collections.abc import Mapping
from typing import Any

from cifar100.base.errors import HubError, NotUsable
from cifar100.base.values import check_flag
from cifar100.evaluation.open_run import OpenRun, images_of, open_run, trained_weights
from cifar100.hub.address import check_repo_id, check_revision
from cifar100.hub.cards import model_card, study_card
from cifar100.hub.description import Description
from cifar100.hub.record_files import record_files
from cifar100.hub.siblings import own_row
from cifar100.hub.space import space_repository
from cifar100.hub.upload import DATASET, MODEL, SPACE, upload
from cifar100.hub.weights import WEIGHTS, format_weights, weights_of
from cifar100.record import RunDirectory, find_runs
from cifar100.report.records.run import Run, read_run
from cifar100.report.records.study import Study, read_study

log = logging.getLogger(__name__)
CARD = "README.md"


def push(
    *,
    repo_id: str | None,
    run_dir: str | None = None,
    study: str | None = None,
    space: str | None = None,
    private: bool | None = None,
    revision: str | None = None,
    commit_message: str | None = None,
    license: str | None = None,
    weights: bool = False,
    baseline: str | None = None,
    allow_mixed: bool = False,
    data: Mapping[str, str | None] | None = None,
) -> str:
    """Pushes the run `run_dir`, with a page to try it on, or the study `study`, as conf/hub.yaml explains. Returns the
    commit.

    Raises:
        ValueError: in one line: what cannot be pushed as typed, or what the Hub does not allow.
        OSError: in one line: no answer from the Hub.
    """
    _check(repo_id, run_dir, study, space, revision)
    check_flag("private", False if private is None else private)
    check_flag("weights", weights)
    check_flag("allow_mixed", allow_mixed)
    if run_dir is not None:
        record, kind = _only_run(run_dir), MODEL
        files, name = run_repository(record, repo_id, license, **(data or {})), record.name
    else:
        found, kind = read_study(study, baseline=baseline, allow_mixed=allow_mixed), DATASET
        files, name = study_repository(found, license, weights=weights), found.name
    message = f"Push {name}" if commit_message is None else str(commit_message)
    commit = upload(files, repo_id, kind=kind, message=message, private=private, revision=revision)
    log.info("pushed to %s, commit %s", repo_id, commit)
    if kind == MODEL:
        log.info("evaluate it anywhere: python evaluate.py run_dir=hf://%s@%s", repo_id, commit)
    if space is not None:
        _push_space(record, space, repo_id, commit, private, **(data or {}))
    return commit


def _check(repo_id: Any, run_dir: Any, study: Any, space: str | None, revision: str | None) -> None:
    if (run_dir is None) == (study is None):
        raise HubError("name either run_dir=multirun/<study>/<run> or study=multirun/<study> to push")
    for name, value in (("run_dir", run_dir), ("study", study)):
        if value is not None and not isinstance(value, str):
            raise HubError(f"{name}={value} must be the name of one folder")
    if repo_id is None:
        raise HubError("repo_id is missing; name the repository to push to, such as repo_id=user/resnet20-cifar100")
    check_repo_id(repo_id)
    if space is not None and (run_dir is None or check_repo_id(space) == repo_id):
        raise HubError(f"space={space} is a page for a run: it needs run_dir=, and another name than repo_id={repo_id}")
    if revision is not None:
        check_revision(revision)


def _push_space(
    record: RunDirectory,
    space: str,
    repo_id: str,
    commit: str,
    private: bool | None,
    path: str | None = None,
    cache_dir: str | None = None,
) -> None:
    images = images_of(record, path, cache_dir)
    files = space_repository(repo_id, commit, images.test, images.class_names, repo_id.split("/")[1])
    upload(files, space, kind=SPACE, message=f"Show {repo_id}", private=private)
    secret = "; it is private: give it a token that may read the network, as its secret HF_TOKEN" if private else ""
    log.info("a page to try it on: the Space %s%s", space, secret)


def run_repository(
    record: RunDirectory, repo_id: str, license: str | None, path: str | None = None, cache_dir: str | None = None
) -> dict[str, bytes]:
    """The files of a run's repository by name. The images are needed, too, at `path` or where they are found without:
    their classes, mean and deviation belong to the description, and the weights are opened as for an evaluation."""
    run = _usable(record)
    checkpoint = run.evaluation.get("checkpoint")
    opened = open_run(record, checkpoint=checkpoint, data_path=path, cache_dir=cache_dir)
    if (opened.checkpoint, opened.epoch) != (checkpoint, run.evaluation.get("epoch")):
        raise HubError(f"{record.path} was trained on after its evaluation; run evaluate.py on it again")
    return {
        CARD: model_card(run, own_row(record, run), repo_id, license).encode(),
        "config.json": _description(run, opened).format(),
        WEIGHTS: format_weights(weights_of(opened.model)),
        **record_files(record),
    }


def study_repository(study: Study, license: str | None, *, weights: bool) -> dict[str, bytes]:
    """The files of a study's repository by name: each used run's record under its own folder, and the card."""
    files = {CARD: study_card(study, license, weights=weights).encode()}
    for run in study.runs:
        record = RunDirectory(run.path)
        folder = _folder(record, study)
        files |= {f"{folder}/{name}": data for name, data in record_files(record).items()}
        if weights:
            files[f"{folder}/{WEIGHTS}"] = format_weights(_evaluated(record, run))
    return files


def _only_run(run_dir: str) -> RunDirectory:
    runs = find_runs(str(run_dir))
    if len(runs) > 1:
        raise HubError(
            f"run_dir={run_dir} names {len(runs)} runs; name one, or push them together with study={run_dir}"
        )
    return runs[0]


def _usable(record: RunDirectory) -> Run:
    try:
        return read_run(record)
    except NotUsable as error:
        raise HubError(f"{record.path}: {error}") from None


def _description(run: Run, opened: OpenRun) -> Description:
    data = opened.data
    constants = {"class_names": data.class_names, "mean": data.mean, "std": data.std}
    return Description(run.network, data.name, **constants, checkpoint=opened.checkpoint, epoch=opened.epoch)


def _evaluated(record: RunDirectory, run: Run) -> dict[str, Any]:
    name = str(run.evaluation.get("checkpoint"))
    tensors = trained_weights(record.load_checkpoint(name)[0])
    return {name: tensor.contiguous() for name, tensor in tensors.items()}


def _folder(record: RunDirectory, study: Study) -> str:
    """Where the run stands in its study, which is where it stands in the repository."""
    root = study.path.resolve()
    if not record.path.resolve().is_relative_to(root):
        raise HubError(f"study={study.path} must be the name of one folder that holds its runs")
    parts = record.path.resolve().relative_to(root).parts
    for part in parts:
        if not part.isprintable() or "\\" in part or part.startswith("."):
            raise HubError(f"{record.path}: a folder of this name cannot be pushed; rename it")
    return "/".join(parts) or record.name
