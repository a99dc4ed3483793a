"""Files to the Hub: one commit, into a repository that is made where there is none."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from cifar100.base.errors import HubError
from cifar100.hub.address import MAIN, check_repo_id, check_revision
from cifar100.hub.errors import in_one_line

log = logging.getLogger(__name__)
MODEL, DATASET = "model", "dataset"


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
        kind: MODEL or DATASET.
        private: of a repository that is made now; null leaves it to the Hub.
        revision: a branch, made where there is none; main if null.

    Raises HubError or HubUnreachable in one line.
    """
    check_repo_id(repo_id)
    branch = check_revision(MAIN if revision is None else revision)
    from huggingface_hub import CommitOperationAdd, HfApi, constants

    if constants.HF_HUB_OFFLINE:
        raise HubError(f"{repo_id} cannot be pushed to while HF_HUB_OFFLINE is set; unset it")
    api = HfApi()
    with in_one_line(repo_id):
        api.create_repo(repo_id, repo_type=kind, private=private, exist_ok=True)
        if branch != MAIN:
            api.create_branch(repo_id, repo_type=kind, branch=branch, exist_ok=True)
        log.info("pushing %d files, %.1f MB, to %s", len(files), sum(map(len, files.values())) / 1e6, repo_id)
        operations = [CommitOperationAdd(name, content) for name, content in files.items()]
        done = api.create_commit(
            repo_id, operations=operations, commit_message=message, repo_type=kind, revision=branch
        )
    return done.oid
