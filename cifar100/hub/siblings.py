"""The runs beside a run that differ from it only in their seed: they give its results their error bars."""

from contextlib import suppress

from cifar100.base.errors import NotUsable
from cifar100.base.trees import fixed_text
from cifar100.record import RunDirectory
from cifar100.report.records.run import Run, read_run
from cifar100.report.records.setting import setting
from cifar100.report.records.study import Study, study_of


def own_row(record: RunDirectory, run: Run) -> Study:
    """A study of one row: the run and the finished, evaluated runs of its study that were trained and evaluated alike
    with other seeds."""
    wanted = _alike(run)
    found = [record]
    for folder in sorted(record.path.resolve().parent.iterdir()):
        other = RunDirectory(folder)
        if folder == record.path.resolve() or not other.exists():
            continue
        with suppress(NotUsable, ValueError, OSError):
            if _alike(read_run(other)) == wanted:
                found.append(other)
    return study_of(found, record.path.resolve().parent)


def _alike(run: Run) -> str:
    return fixed_text([run.network, setting(run)])
