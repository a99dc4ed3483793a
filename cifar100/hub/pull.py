"""From the Hub to a run directory in the user's cache, which evaluate.py takes as any other. A repository is data."""

import logging
import shutil
from pathlib import Path
from typing import Any

from cifar100.base.errors import HubError, HubUnreachable
from cifar100.evaluation.open_run import RAW
from cifar100.hub.address import PREFIX, Address, is_address, parse_address
from cifar100.hub.description import parse_description
from cifar100.hub.download import CONFIG, fetch, resolve
from cifar100.hub.store import Store
from cifar100.hub.weights import WEIGHTS, most_bytes, parse_weights
from cifar100.record import RecordError, RunDirectory, atomic_write
from cifar100.record.metrics_file import parse_metrics
from cifar100.record.plain import parse_json_object
from cifar100.record.plain_yaml import parse_yaml
from cifar100.record.run_directory import MAX_CONFIG_BYTES, MAX_JSON_BYTES, MAX_METRICS_BYTES

log = logging.getLogger(__name__)


def local_runs(run_dir: Any) -> Any:
    """The value of evaluate.py's `run_dir`, with each hf:// address among it replaced by the folder of its pulled run.

    Raises HubError or HubUnreachable in one line.
    """
    if isinstance(run_dir, list):
        return [local_runs(each) for each in run_dir]
    return str(pull(parse_address(run_dir))) if is_address(run_dir) else run_dir


def pull(address: Address) -> Path:
    """The run directory of an address, fetched if it is not in the cache yet.

    A pinned commit that is there needs no network. A branch or tag is asked for again each time; where the Hub cannot
    be reached, or with HF_HUB_OFFLINE=1, the commit that it was last seen at is taken.

    Raises:
        HubError: there is no such thing, or it is refused.
        HubUnreachable: it is not in the cache and the Hub does not answer.
        OSError: the cache cannot be written.
    """
    store = Store(address)
    commit = _commit(address, store)
    if not store.has(commit):
        log.info("fetching %s at commit %s", address, commit)
        with store.adding(commit) as folder:
            try:
                _fetch_run(address, commit, RunDirectory(folder))
            except RecordError as error:
                fault = str(error).replace(f"{folder}/", "")  # which is gone by now
                raise HubError(f"{address.repo_id}: {fault}") from None
    store.note(address.revision, commit)
    return store.run(commit)


def pull_to(repo_id: str, revision: str | None = None, to: str | None = None) -> Path:
    """The run directory of a repository in the cache, or a copy of it in the new folder ``to``.

    Raises what `pull` does, and HubError for a folder that is there.
    """
    address = parse_address(str(repo_id), None if revision is None else str(revision))
    if to is not None and Path(to).exists():
        raise HubError(f"to={to} is there already; name a folder that is not")
    folder = pull(address)
    return folder if to is None else Path(shutil.copytree(folder, to))


def _commit(address: Address, store: Store) -> str:
    from huggingface_hub import constants

    known = store.commit_of(address.revision)
    if known is not None and not store.has(known):
        known = None
    if address.is_pinned:
        if known is None and constants.HF_HUB_OFFLINE:
            raise _offline(address)
        return address.revision
    if constants.HF_HUB_OFFLINE:
        if known is None:
            raise _offline(address)
        return known
    try:
        return resolve(address)
    except HubUnreachable as error:
        if known is None:
            raise
        log.warning("%s; taking what was fetched before, commit %s", error, known)
        return known


def _offline(address: Address) -> HubError:
    return HubError(f"{address} is not in the cache, and HF_HUB_OFFLINE is set; fetch it once without")


def _fetch_run(address: Address, commit: str, record: RunDirectory) -> None:
    """Reads and checks each file, then writes what it means: only config.json lands in the cache as it came, checked
    throughout. The repository's evaluation is not taken over; evaluate.py makes one."""

    def get(name: str, limit: int, *, required: bool = False) -> bytes | None:
        return fetch(address, commit, name, limit, required=required)

    def get_object(name: str) -> dict[str, Any] | None:
        data = get(name, MAX_JSON_BYTES)
        return None if data is None else parse_json_object(data, record.path / name)

    data = get(CONFIG, MAX_JSON_BYTES, required=True)
    about, network = parse_description(data, f"{address.repo_id}: {CONFIG}")
    config = parse_yaml(get("config.yaml", MAX_CONFIG_BYTES, required=True), record.path / "config.yaml")
    if config.get("model") != about.model:
        raise HubError(f"{address.repo_id}: config.yaml and config.json describe different networks")
    environment, summary, status = map(get_object, ("environment.json", "summary.json", "status.json"))
    metrics = get("metrics.jsonl", MAX_METRICS_BYTES)
    rows = None if metrics is None else parse_metrics(metrics, record.path / "metrics.jsonl")
    weights = get(WEIGHTS, most_bytes(network), required=True)
    tensors = parse_weights(weights, network, f"{address.repo_id}: {WEIGHTS}")
    atomic_write(record.path / CONFIG, data)
    record.write_config(config)
    for write, value in (
        (record.write_environment, environment), (record.write_summary, summary), (record.write_metrics, rows)
    ):  # fmt: skip
        if value is not None:
            write(value)
    named = {f"{RAW}{name}": tensor for name, tensor in tensors.items()}
    record.save_checkpoint(about.checkpoint, named, {"metrics": {"epoch": about.epoch}})
    times = {key: status[key] for key in ("created", "updated") if status and isinstance(status.get(key), str)}
    record.write_status("finished", **times, source=f"{PREFIX}{address.repo_id}@{commit}")
