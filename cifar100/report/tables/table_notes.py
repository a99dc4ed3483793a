"""What must be said under a table so that nobody reads more from it than its runs support."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from cifar100.base.text import plain_line
from cifar100.report.claims.comparison import against_baseline, compared
from cifar100.report.document.words import Words
from cifar100.report.records.commit import commits
from cifar100.report.records.parts import leaf_name, readable
from cifar100.report.records.row import Row
from cifar100.report.records.setting import changed_words, setting
from cifar100.report.records.study import Study
from cifar100.report.tables.number_text import percent
from cifar100.report.tables.recipe_table import SETTINGS, recipe_table
from cifar100.report.tables.table import Cell

# The settings that a reader looks for first; the table of hyper-parameters has all.
CHIEF = (
    "data.name", "data.val_size", "trainer.num_train_epochs", "trainer.per_device_train_batch_size", "optimizer",
    "optimizer.lr", "optimizer.weight_decay", "scheduler", "scheduler.warmup_epochs", "loss.label_smoothing",
    "augment.policy", "augment.mixup_alpha", "augment.cutmix_alpha", "augment.cutout", "ema_decay",
    "evaluation.checkpoint", "evaluation.precision",
)  # fmt: skip
_OFF = (None, 0, False)
MOST_MACHINES = 4


def table_notes(study: Study, words: Words, *, times: bool = False) -> list[str]:
    """The notes of a table over the study's rows, in the order of their weight; `times` where it shows times."""
    notes = [words("tables.notes.change", baseline=study.baseline.label), *interval_notes(study, words)]
    notes += own_recipes(study, words)
    if study.mixed:
        notes.append(words("tables.notes.mixed", keys=", ".join(plain_line(key, 60) for key in study.mixed)))
    if any(row.n == 1 for row in study.rows):
        notes.append(words("tables.notes.one_seed"))
    notes += [_same(row, row.identical_to, words) for row in study.rows if row.identical_to]
    notes += [_uncounted(row, words) for row in study.rows if _operators(row)]
    if times:
        found = machines(study, words)
        notes.append(words("tables.notes.times", machines="; ".join(found[:MOST_MACHINES])))
        if len(found) > 1:
            notes.append(words("tables.notes.several_machines"))
    if (versions := len(commits(study.runs))) > 1:
        notes.append(words("tables.notes.several_commits", n=versions))
    if study.left_out:
        notes.append(words("tables.notes.left_out", n=len(study.left_out)))
    return notes


def interval_notes(study: Study, words: Words) -> list[str]:
    """How the intervals against the baseline were found: the pooled deviation with its degrees of freedom, and which
    rows are judged by their own."""
    found = against_baseline(study)
    if found is None:
        return []
    rows, notes, n = compared(study), [], len(found.differences)
    if not all(each.own_scatter for each in found.differences.values()):
        notes.append(words("tables.notes.pooled", n=n, std=percent(found.std), df=found.df))
    separator = words("findings.separator")
    two = [rows[place].label for place in sorted(found.apart) if rows[place].n < 3]
    wide = [rows[place].label for place in sorted(found.apart) if rows[place].n >= 3]
    if wide:
        notes.append(words("tables.notes.own_scatter", rows=separator.join(wide), n=n))
    if two:
        notes.append(words("tables.notes.two_runs", rows=separator.join(two), n=n))
    return notes


def own_recipes(study: Study, words: Words) -> list[str]:
    """A sentence for each row whose design brings a recipe of its own: in what it differs from the baseline's."""
    home, table, found = setting(study.baseline.runs[0]), recipe_table(study, words), []
    for place, row in enumerate(study.rows[1:], 2):
        if changed_words(setting(row.runs[0]), home, study.declared):
            changes = recipe_changes([(line[0], line[place], line[1]) for line in table.rows], words)
            fields = {"baseline": study.baseline.label, "changes": changes}
            found.append(words("tables.notes.own_recipe", row=row.label, **fields))
    return found


def recipe_changes(lines: Sequence[tuple[Cell, Cell, Cell]], words: Words) -> str:
    """In what ours differs from theirs, of lines of a table of recipes, each of name, our value and their value."""
    missing = words("tables.not_applicable")
    changed = [
        f"{name.text.lower()} {ours.text}" for name, ours, theirs in lines[: len(SETTINGS)]
        if ours.text not in (theirs.text, missing)
    ]  # fmt: skip
    return words("findings.comma").join(changed)


def recipe_line(study: Study) -> str:
    """The chief settings that all rows share, as they are named in conf/; those that are off are left out."""
    found = [(key, study.shared_recipe[key]) for key in CHIEF if key in study.shared_recipe]
    shown = [(key, value) for key, value in found if value not in _OFF or key == "data.val_size"]
    return ", ".join(f"{key.removeprefix('trainer.')}={setting_text(key, value)}" for key, value in shown)


def setting_text(key: str, value: Any) -> str:
    """A setting's value on one line; a group's target by its short name."""
    is_target = "." not in key and isinstance(value, str)
    return plain_line(leaf_name(value) if is_target else readable(value), 60)


def machines(study: Study, words: Words) -> list[str]:
    """The processors or GPUs that the runs were trained on, the most used first."""
    counts = Counter(_machine(run.environment, words) for run in study.runs)
    return [name for name, _ in counts.most_common()]


def _machine(environment: dict[str, Any], words: Words) -> str:
    hardware = environment.get("hardware")
    if not isinstance(hardware, dict):
        return words("tables.unknown_machine")
    gpus = hardware.get("gpus")
    names = [gpu["name"] for gpu in gpus if isinstance(gpu, dict) and "name" in gpu] if isinstance(gpus, list) else []
    if names:
        return plain_line(f"{len(names)} x {names[0]}", 60)
    if not hardware.get("cpu"):
        return words("tables.unknown_machine")
    cores = plain_line(hardware.get("cpu_cores_usable") or "?", 10)
    return words("tables.cpu", cpu=plain_line(hardware["cpu"], 60), cores=cores)


def _same(row: Row, other: str, words: Words) -> str:
    return words("tables.notes.identical", row=row.label, other=other)


def _uncounted(row: Row, words: Words) -> str:
    return words("tables.notes.uncounted", row=row.label, operators=", ".join(_operators(row)))


def _operators(row: Row) -> list[str]:
    found = row.runs[0].evaluation.get("uncounted_operators")
    return [plain_line(name, 40) for name in list(found)[:8]] if isinstance(found, dict) else []
