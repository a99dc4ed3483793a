"""The model card of a run: README.md of its repository. Every word of a record in it is escaped."""

from __future__ import annotations

from typing import Any

from cifar100.base.text import plain_line
from cifar100.hub.card_metadata import data_name, model_metadata
from cifar100.hub.card_results import limits, results
from cifar100.hub.citation import bibtex, cited, own_entry
from cifar100.record.fields import FIELDS
from cifar100.report.document.words import load_words
from cifar100.report.records.command import recorded_command, typed_command
from cifar100.report.records.run import Run
from cifar100.report.records.study import Study
from cifar100.report.renderers.markdown_text import code, escaped, markdown_table
from cifar100.report.tables.hyperparameters import hyperparameter_table
from cifar100.report.tables.number_text import count, millions
from cifar100.report.tables.table_notes import machines, recipe_line


def model_card(run: Run, row: Study, repo_id: str, license: str | None) -> str:
    """The whole README.md.

    Args:
        run: whose weights these are.
        row: a study of one row, this run and those that differ only in their seed.
        repo_id: checked.
    """
    parts = [
        f"# {escaped(row.rows[0].label)}",
        _opening(run),
        "## Results",
        *results(run, row.rows[0]),
        "## Costs",
        *_costs(run, row),
        "## Use",
        *_use(run, repo_id),
        "## Data",
        _data(run),
        "## Recipe",
        *_recipe(run, row),
        "## Limits",
        "\n".join(f"- {each}" for each in limits(run, row.rows[0])),
        "## Citation",
        "These weights, their data set, and the papers that the network's parts are from:",
        f"```bibtex\n{own_entry(run, repo_id)}\n\n{bibtex(cited([run]))}\n```",
    ]
    return headed(model_metadata(run, repo_id, license), parts)


def headed(metadata: Any, parts: list[str]) -> str:
    """A card of huggingface_hub from metadata and paragraphs of Markdown."""
    from huggingface_hub import RepoCard

    body = "\n\n".join(parts)
    card = RepoCard(f"---\n{metadata.to_yaml()}\n---\n\n{body}\n")  # which reads the metadata again, as the Hub will
    return str(card)


def _opening(run: Run) -> str:
    size = f"{count(run.parameters)} parameters and {millions(run.macs)} million multiply-adds an image"
    return (
        f"An image classifier of {size}, trained from scratch on {escaped(data_name(run))}. "
        "This card was generated from the records of its training, which are in this repository."
    )


def _costs(run: Run, row: Study) -> list[str]:
    costs = {"parameters": run.parameters, "macs": run.macs, "train_s": run.train_s, "latency_s": run.latency_s}
    lines = [
        f"| {FIELDS[name].heading()} | {FIELDS[name].text(value)} |"
        for name, value in costs.items()
        if value is not None
    ]
    table = "\n".join(["| cost | value |", "| --- | ---: |", *lines])
    trained = "; ".join(machines(row, load_words("en")))
    timed = run.evaluation.get("latency")
    where = timed.get("machine") if isinstance(timed, dict) and run.latency_s is not None else None
    timing = f" Latency was measured on: {escaped(plain_line(where, 80))}." if where else ""
    return [table, f"Times are of the machines at hand and no benchmark. Trained on: {escaped(trained)}.{timing}"]


def _use(run: Run, repo_id: str) -> list[str]:
    size = run.network.get("resolution"), run.network.get("in_channels")
    resolution, channels = (each if isinstance(each, int) else 0 for each in size)
    example = f"""```python
import torch
import cifar100
from cifar100.hub import describe

network = cifar100.from_pretrained("{repo_id}")  # in evaluation mode; revision="..." pins a commit
about = describe("{repo_id}")
mean, std = (torch.tensor(each).view(-1, 1, 1) for each in (about.mean, about.std))
images = torch.rand(8, {channels}, {resolution}, {resolution})  # yours, in 0..1
with torch.no_grad():
    logits = network((images - mean) / std)
names = [about.class_names[index] for index in logits.argmax(dim=1)]
```"""
    again = f"    python evaluate.py run_dir=hf://{repo_id}"
    return [
        "With the laboratory's package (`cifar100-lab`) installed:",
        example,
        "and, to measure the results again:",
        again,
        "`config.json` describes the network in plain JSON, and `model.safetensors` holds tensors under the names of "
        "its state dict. Only primitives of the laboratory's own are built from it, and no pickle is read.",
    ]


def _data(run: Run) -> str:
    data = run.config["data"]
    held = data.get("val_size")
    if held:
        selected = f"{count(held) if isinstance(held, int) else '?'} training images were held out to select the epoch"
    else:
        selected = "no training images were held out, and no epoch was selected"
    fingerprint = plain_line(run.evaluation.get("data_fingerprint") or "not recorded", 80)
    return (
        f"{escaped(data_name(run))}, {count(run.evaluation['n'])} test images; {selected}. The test images were used "
        f"for the evaluation only. Fingerprint of the images: {code(fingerprint)}."
    )


def _recipe(run: Run, row: Study) -> list[str]:
    words = load_words("en")
    command = typed_command(run) or recorded_command(run)
    return [
        f"In short: {escaped(recipe_line(row))}. The command, apart from where its data is:",
        f"    {command}",
        "<details><summary>All settings</summary>",
        markdown_table(hyperparameter_table(row, words)),
        "</details>",
    ]
