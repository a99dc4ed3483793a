"""Pruning of a recorded run: a run of its own that starts from its weights, and what it lost and gained."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from cifar100.app.comparison import compared
from cifar100.app.deployment import FOLDER, about
from cifar100.app.narrowing import narrowed, nearest
from cifar100.app.prediction import local_run
from cifar100.app.session import composed, train_composed
from cifar100.base.errors import UserError
from cifar100.base.text import aligned, plain_line
from cifar100.base.values import check_whole, is_number
from cifar100.config import CONF, MODEL_GROUPS, load_model
from cifar100.deploy.export import export_network
from cifar100.evaluation.costs import count_costs
from cifar100.evaluation.evaluate import evaluate_run
from cifar100.evaluation.open_run import OpenRun, open_run
from cifar100.hub import local_runs
from cifar100.hub.load import describe
from cifar100.record import RunDirectory

log = logging.getLogger(__name__)
METHODS = ("channels", "magnitude")
EPOCHS, LR_SHARE = 10, 0.2  # of the fine-tuning, where they are not typed: epochs, and the run's learning rate by this
TAKEN = ("model", "data", "augment", "optimizer")  # choices of the run that fine-tuning keeps


def prune_run(
    run_dir: str,
    *,
    method: str,
    amount: float,
    widths: Sequence[int] | None,
    multiple: int,
    threads: int,
    repeats: int,
    train: Sequence[str],
) -> dict[str, Any]:
    """Trains, evaluates and compares the pruned network of a run, as conf/prune.yaml explains.

    Returns:
        What evaluation/deploy/pruning.json of the pruned run holds: `before` and `after` with accuracy, bytes in ONNX,
        parameters, those that are not 0, and multiply-adds; their paired difference (after less before) with its 95%
        interval and McNemar's p; the latency of both in onnxruntime, measured in turns.

    Raises:
        UserError: a run that cannot be pruned so, in one line.
    """
    _check(method, amount, widths, multiple, train)
    source = local_run(local_runs(run_dir))
    model = describe(source).model
    config = _config(source)
    if method == "channels":
        model = narrowed(model, widths) if widths else nearest(model, amount, multiple)
        load_model({"model": model})  # refuses widths that the recipe cannot have, before anything is composed
    typed = [each.lstrip("+~").partition("=")[0] for each in train]
    changed = f"pruning.sparsity={amount}" if method == "magnitude" else f"model.widths={model['widths']}"
    options = [f"pruning={method}", changed, *_recipe(config, typed), *train]

    def start_from_source(full: DictConfig) -> None:
        full.model, full.init_from = OmegaConf.create(model), str(source)
        full.label = full.label if "label" in typed else _label(config, source, model, method, amount)
        _keep_choices(full, config)

    with composed(options, None, start_from_source) as full:
        folder = train_composed(full)
        images = {"data_path": full.data.path, "cache_dir": full.data.cache_dir}
    evaluate_run(folder, **images)
    return _compare(source, folder, method, threads, repeats, images)


def _compare(
    source: Path, folder: str | Path, method: str, threads: int, repeats: int, images: Mapping[str, Any]
) -> dict[str, Any]:
    """Writes, shows and returns what pruning.json holds."""
    before, after = (open_run(RunDirectory(each), **images) for each in (source, folder))
    files = {"before": _exported(before), "after": _exported(after)}
    found = compared(after, files, threads, repeats) | {"source": source.resolve().name, "method": method}
    found["before"] |= _size(before)
    found["after"] |= _size(after)
    after.record.write_json(f"{FOLDER}/pruning.json", found)
    log.info("%s", _table(found))
    if method == "channels" and found["latency"][-1]["speedup"] < 1:
        log.warning("fewer multiply-adds, but no faster: processors take channels in groups; multiple=16 may help")
    return found


def _label(config: Mapping[str, Any], source: Path, model: Mapping[str, Any], method: str, amount: float) -> str:
    """The run's label, or its folder's name, and what was pruned."""
    label = plain_line(config.get("label") or "", 40) or plain_line(source.resolve().name, 40)
    return label + (f", widths {model['widths']}" if method == "channels" else f", {100 * amount:g}% zeros")


def _keep_choices(full: DictConfig, config: Mapping[str, Any]) -> None:
    """Lets the pruned run's record name the choices that its network was composed of."""
    chosen = config.get("choices") if isinstance(config.get("choices"), Mapping) else {}
    for group in MODEL_GROUPS:
        full.hydra.runtime.choices[group] = plain_line(chosen[group], 60) if chosen.get(group) else None


def _check(method: str, amount: Any, widths: Any, multiple: Any, train: Sequence[str]) -> None:
    if method not in METHODS:
        raise UserError(f"method={method} must be one of {', '.join(METHODS)}")
    if not is_number(amount) or not 0 < amount < 1:
        raise UserError(f"amount={amount} must lie between 0 and 1, such as 0.5")
    if widths is not None and method != "channels":
        raise UserError(f"widths={widths} have no effect with method={method}; leave them out, or use method=channels")
    if widths is not None and not (isinstance(widths, list) and all(type(each) is int and each > 0 for each in widths)):
        raise UserError(f"widths={widths} must be a list of whole numbers, such as [12,24,48]")
    check_whole("multiple", multiple, cure=", such as 16")
    for each in train:
        group = each.lstrip("+~").partition("=")[0].partition(".")[0].partition("@")[0]
        if group in (*MODEL_GROUPS, "init_from", "row", "experiment") or each.startswith("pruning="):
            raise UserError(f"{each} has no place here: the network is that of run_dir, pruned by method")


def _config(source: Path) -> dict[str, Any]:
    """The config.yaml of a run directory; nothing of a folder with the files of a Hub repository."""
    record = RunDirectory(source)
    return record.config() if record.exists() else {}


def _recipe(config: Mapping[str, Any], typed: Sequence[str]) -> list[str]:
    """Overrides of the fine-tuning that are not typed: the run's own choices and held-out images, fewer epochs and a
    smaller learning rate. Of a record, names of choices and numbers alone are taken."""
    parts = {
        name: each if isinstance(each := config.get(name), Mapping) else {} for name in ("choices", "optimizer", "data")
    }
    options = {}
    for group in TAKEN:
        choice = parts["choices"].get(group)
        if isinstance(choice, str) and choice.isidentifier() and (CONF / group / f"{choice}.yaml").is_file():
            options[group] = choice
    numbers = {"data.val_size": parts["data"].get("val_size"), "optimizer.lr": parts["optimizer"].get("lr")}
    if isinstance(numbers["optimizer.lr"], float):
        numbers["optimizer.lr"] = float(f"{LR_SHARE * numbers['optimizer.lr']:.6g}")
    for name, value in numbers.items():
        if is_number(value) and name.partition(".")[0] not in typed:
            options[name] = value
    if "trainer.max_steps" not in typed:
        options["trainer.num_train_epochs"] = EPOCHS
    return [f"{name}={value}" for name, value in options.items() if name not in typed]


def _exported(run: OpenRun) -> bytes:
    return export_network(run.model, "onnx", about(run))


def _size(run: OpenRun) -> dict[str, int]:
    """Parameters, those that are not 0, and multiply-adds of one image."""
    costs = count_costs(run.model, run.input_shape)
    left = sum(int(each.count_nonzero()) for each in run.model.parameters())
    return {"parameters": costs.parameters, "nonzero_parameters": left, "macs": costs.macs}


def _table(found: Mapping[str, Any]) -> str:
    speeds = [f"speed at {each['batch_size']}" for each in found["latency"]]
    rows = [["network", "top-1", "parameters", "not 0", "multiply-adds (M)", *speeds]]
    for name in ("before", "after"):
        each = found[name]
        row = [name, f"{each['test/top1']:.2%}", f"{each['parameters']:,}", f"{each['nonzero_parameters']:,}"]
        row.append(f"{each['macs'] / 1e6:.1f}")
        rows.append(row + [f"{1 if name == 'before' else one['speedup']:.2f}x" for one in found["latency"]])
    paired = found["difference"]
    return "\n".join([*aligned(rows), f"{100 * paired['top1']:+.2f} points, p = {paired['p']:.2g}"])
