"""A commit of files to a repository of the Hub, which is made where there is none."""

import logging
from collections.abc import Mapping

from cifar100.base.errors import HubError
from cifar100.hub.address import MAIN
from cifar100.hub.errors import in_one_line

log = logging.getLogger(__name__)
MODEL, DATASET, SPACE = "model", "dataset", "space"


def upload(
    files: Mapping[str, bytes],
    repo_id: str,
    *,
    kind: str,
    message: str,
    private: bool | None = None,
    revision: str | None = None,
) -> str:
    """Commits the files, by their names in the repository, and returns the commit. Files that are there besides stay.

    Args:
        kind: MODEL, DATASET or SPACE.
        private: of a repository that is made now; null leaves it to the Hub.
        revision: a branch, made where there is none; main if null.

    Raises HubError or HubUnreachable in one line.
    """
    branch = MAIN if revision is None else revision
    from huggingface_hub import CommitOperationAdd, HfApi, constants

    if constants.HF_HUB_OFFLINE:
        raise HubError(f"{repo_id} cannot be pushed to while HF_HUB_OFFLINE is set; unset it")
    api = HfApi()
    with in_one_line(repo_id):
        sdk = "gradio" if kind == SPACE else None
        api.create_repo(repo_id, repo_type=kind, private=private, exist_ok=True, space_sdk=sdk)
        if branch != MAIN:
            api.create_branch(repo_id, repo_type=kind, branch=branch, exist_ok=True)
        log.info("pushing %d files, %.1f MB, to %s", len(files), sum(map(len, files.values())) / 1e6, repo_id)
        operations = [CommitOperationAdd(name, data) for name, data in files.items()]
        done = api.create_commit(
            repo_id, operations=operations, commit_message=message, repo_type=kind, revision=branch
        )
    return done.oid
