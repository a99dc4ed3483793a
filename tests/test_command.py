"""How commands meet the user: one line per mistake, near misses, and an exit status that tells what happened."""

import errno
import logging
import signal
import subprocess
import sys
from pathlib import Path

import hydra
import pytest
import torch
from hydra.errors import HydraException, InstantiationException, OverrideParseException
from omegaconf import OmegaConf

from cifar100 import command
from cifar100.base.errors import FAILED, MISTYPED, Diverged, Interrupted, ProcessDied
from cifar100.base.text import near
from cifar100.command import run
from cifar100.config import CONF, build, typed_folders
from cifar100.logs import MainProcess, RunLog, TerminalHandler
from cifar100.mistakes import check_choices, explain, mistake
from cifar100.record import RunDirectory

CHECKOUT = Path(__file__).parents[1]


def raised(function, *arguments) -> Exception:
    with pytest.raises(Exception) as caught:
        function(*arguments)
    return caught.value


class TestMistakes:
    """What is told in a line and what is a bug."""

    def test_of_the_user(self, tmp_path):
        assert mistake(raised(build, OmegaConf.create({"_target_": "cifar100.optim.sgd.sgd", "lrr": 1}))) == MISTYPED
        assert mistake(raised(check_choices, ["norm=bnn"], [CONF])) == MISTYPED
        assert mistake(raised(RunDirectory(tmp_path).config)) == MISTYPED
        assert mistake(OverrideParseException("a=[", "no viable alternative")) == MISTYPED

    def test_of_the_run_and_the_machine(self):
        assert mistake(Diverged(1, 2, 0.1, float("nan"))) == FAILED
        assert mistake(ProcessDied()) == FAILED
        assert mistake(OSError(errno.ENOSPC, "No space left on device", "checkpoint")) == FAILED
        assert mistake(PermissionError(errno.EACCES, "Permission denied", "multirun")) == FAILED
        assert mistake(torch.OutOfMemoryError("CUDA out of memory")) == FAILED

    def test_out_of_memory(self):
        error = raised(torch.empty, 2**60)
        assert mistake(error) == FAILED and explain(error).endswith("; use smaller batches or a smaller network")
        assert mistake(MemoryError()) == FAILED and explain(MemoryError()).startswith("out of memory; use")

    def test_bugs(self):
        assert mistake(raised(int, "three")) == 0, "another library's ValueError is about what we gave it"
        assert mistake(raised(open, "/nowhere")) == 0
        assert mistake(ValueError("one of ours that is no UserError is about what we gave ourselves")) == 0
        assert mistake(raised(lambda: {}["key"])) == 0
        assert mistake(raised(lambda: 1 / 0)) == 0
        bug = InstantiationException("Error in call to target 'f'")
        bug.__cause__ = RuntimeError("shapes do not match")
        assert mistake(bug) == 0
        bug.__cause__ = TypeError("'int' object is not iterable")
        assert mistake(bug) == MISTYPED, "a value of a wrong type"

    def test_operating_system_errors_name_the_file_and_the_cure(self):
        full = explain(OSError(errno.ENOSPC, "No space left on device", "run/checkpoints/last.safetensors"))
        assert full.startswith("run/checkpoints/last.safetensors: No space left on device; make room")
        assert "root=" in explain(OSError(errno.EROFS, "Read-only file system", "multirun"))
        assert explain(OSError("not an errno")) == "not an errno"

    def test_lines_are_joined(self):
        assert explain(HydraException("Could not load it.\nAvailable options:\n\tone\n\ttwo\n")) == (
            "Could not load it; Available options: one; two"
        )
        assert explain(ValueError("")) == "ValueError"

    def test_near_misses(self):
        assert near("ecaa", ["eca", "se", "none"]) == "; did you mean eca?"
        assert near("resnet2", ["resnet20", "resnet32", "wrn16_2"]).startswith("; did you mean resnet20 or resnet32?")
        assert near("xyz", ["eca", "se"]) == "; choose one of eca, se"
        assert near("xyz", []) == ""


class TestChoices:
    @pytest.mark.parametrize(
        ("argument", "told"),
        [
            ("block=basc", "block=basc is unknown; did you mean basic?"),
            ("model=resnet21", "did you mean resnet20"),
            ("attention=eca,see", "attention=see is unknown"),
            ("+experiment=nothing", "experiment=nothing is unknown"),
            ("optimizer=", "optimizer= is unknown; choose one of"),
            ("trainer=null", "trainer=null is unknown"),
            ("block@late_block=basc", "did you mean basic?"),
            ("block=3", "block=3 is unknown"),
        ],
    )
    def test_unknown(self, argument, told):
        with pytest.raises(ValueError) as refused:
            check_choices([argument], [CONF])
        assert told in str(refused.value)

    @pytest.mark.parametrize(
        "argument",
        [
            "block=basic",
            "attention=eca,se",
            "model=glob(*)",
            "model.depths=[1]",
            "seed=0,1",
            "-m",
            "nonsense=1",
            "~block",
        ],
    )
    def test_known_or_hydras_to_judge(self, argument):
        check_choices([argument], [CONF])

    def test_of_a_folder_of_the_users_own(self, tmp_path):
        (tmp_path / "attention").mkdir()
        (tmp_path / "attention" / "mine.yaml").write_text("_target_: torch.nn.Identity")
        check_choices(["attention=mine"], [CONF, tmp_path])
        for typed in (["--config-dir", str(tmp_path)], [f"--config-dir={tmp_path}"], ["-cd", str(tmp_path)]):
            assert typed_folders([*typed, "attention=mine"]) == [tmp_path]
        with pytest.raises(ValueError, match="did you mean mine"):
            check_choices(["attention=mne"], [CONF, tmp_path])


class TestRun:
    @pytest.fixture(autouse=True)
    def unchanged(self, monkeypatch):
        monkeypatch.setenv("HYDRA_FULL_ERROR", "")
        yield
        command.failures.clear()

    def ended(self, main, capsys, arguments=()) -> tuple[int, str]:
        with pytest.raises(SystemExit) as end:
            run(main, arguments)
        out, err = capsys.readouterr()
        assert out == ""
        return end.value.code, err

    @pytest.mark.parametrize(
        ("error", "status", "told"),
        [
            (Interrupted(signal.SIGTERM), 143, "interrupted by SIGTERM; the same command continues\n"),
            (Interrupted(signal.SIGINT), 130, "interrupted by SIGINT; the same command continues\n"),
            (KeyboardInterrupt(), 130, "interrupted by SIGINT; the same command continues\n"),
            (OSError(errno.EIO, "Input/output error", "disk"), 1, "disk: Input/output error\n"),
            (HydraException("no such\nthing"), 2, "no such; thing\n"),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_errors_end_it_with_a_line_and_a_status(self, error, status, told, capsys):
        def main():
            raise error

        assert self.ended(main, capsys) == (status, told)

    def test_choices_are_looked_at_before_anything_starts(self, capsys):
        started = []
        status, told = self.ended(lambda: started.append(1), capsys, ["-m", "seed=0,1", "attention=eca,sse"])
        assert (status, started) == (2, []) and told == "attention=sse is unknown; did you mean se?\n"

    def test_a_bug_is_a_traceback(self):
        with pytest.raises(ZeroDivisionError):
            run(lambda: 1 / 0, [])

    def test_what_hydra_refuses_while_it_composes_is_about_what_was_typed(self, capsys):
        assert self.ended(lambda: OmegaConf.create({"a": 1}).merge_with(3), capsys)[0] == MISTYPED

    def test_a_value_error_of_a_job_is_a_bug(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "conf.yaml").write_text("hydra: {output_subdir: null, run: {dir: .}}")

        @hydra.main(version_base="1.3", config_path=str(tmp_path), config_name="conf")
        def main(config):
            return command.job(lambda config: int("three"), config)

        monkeypatch.setattr(sys, "argv", ["probe"])
        with pytest.raises(ValueError, match="three"):
            run(main, [])

    def test_sigterm_outside_of_training_ends_it_in_order(self, capsys):
        before, ended = signal.getsignal(signal.SIGTERM), []

        def main():
            try:
                signal.raise_signal(signal.SIGTERM)
            finally:
                ended.append("noted")

        assert self.ended(main, capsys) == (143, "interrupted by SIGTERM; the same command continues\n")
        assert ended == ["noted"] and signal.getsignal(signal.SIGTERM) == before

    def test_one_failure_is_its_own_status(self, capsys):
        assert self.ended(lambda: command.failures.append(("", MISTYPED, "told")), capsys) == (2, "told\n")

    def test_several_failures_are_listed_last(self, capsys):
        def main():
            command.failures += [("seed=0", MISTYPED, "one"), ("seed=1", FAILED, "another")]

        status, told = self.ended(main, capsys)
        assert status == 1
        assert told.splitlines()[-2:] == ["  seed=0: one", "  seed=1: another"] and told.startswith("2 jobs of the")

    def test_failures_of_an_earlier_command_are_forgotten(self):
        command.failures.append(("", FAILED, "old"))
        run(lambda: None, [])
        assert command.failures == []

    def test_of_several_processes_the_first_tells(self, monkeypatch, capsys):
        monkeypatch.setenv("RANK", "1")
        assert self.ended(lambda: command.failures.append(("", MISTYPED, "told")), capsys) == (2, "")


class TestLog:
    def record(self, level: int = logging.INFO) -> logging.LogRecord:
        return logging.LogRecord("name", level, __file__, 1, "a line", (), None)

    def test_of_several_processes_the_first_writes_and_all_warn(self, monkeypatch):
        wanted = MainProcess()
        assert wanted.filter(self.record())
        monkeypatch.setenv("RANK", "1")
        assert not wanted.filter(self.record())
        assert wanted.filter(self.record(logging.WARNING))

    def test_nobody_reading_ends_no_run(self, monkeypatch, capsys):
        TerminalHandler().emit(self.record())
        assert capsys.readouterr().out == "a line\n"

        def closed(*_, **__):
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")

        monkeypatch.setattr("tqdm.tqdm.write", closed)
        TerminalHandler().emit(self.record())

    def test_a_full_disk_loses_lines_not_the_run(self, tmp_path, capsys):
        log = RunLog(tmp_path / "nowhere" / "train.log", delay=True)
        log.emit(self.record())
        log = RunLog(tmp_path / "full.log", delay=True)
        log.stream = open("/dev/full", "w")
        log.emit(self.record())
        assert capsys.readouterr() == ("", "")
        log = RunLog(tmp_path / "train.log")
        log.emit(self.record())
        log.emit(logging.LogRecord("name", logging.INFO, __file__, 1, "%d", ("no number",), None))
        assert (tmp_path / "train.log").read_text() == "a line\n"
        assert "Logging error" in capsys.readouterr().err, "a bug of this program is shown"


def test_commands_are_listed(monkeypatch, capsys):
    from cifar100.__main__ import COMMANDS, main

    for arguments, status in (([], 0), (["trian"], 2)):
        with pytest.raises(SystemExit) as end:
            main(arguments)
        told = "".join(capsys.readouterr())
        assert end.value.code == status and all(name in told for name in COMMANDS)


@pytest.mark.parametrize("name", ["train", "evaluate"])
def test_showing_the_configuration_imports_no_torch(name, tmp_path):
    code = (
        "import runpy, sys\n"
        f"sys.argv = ['{name}.py', '--cfg', 'job']\n"
        f"runpy.run_path({str(CHECKOUT / (name + '.py'))!r}, run_name='__main__')\n"
        "heavy = {'torch', 'transformers', 'accelerate', 'datasets', 'sklearn', 'matplotlib'} & set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "batch_size" in done.stdout and list(tmp_path.iterdir()) == []
