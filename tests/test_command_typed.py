"""What is typed in another form than hydra's, and is understood or answered with the form that would work."""

import os
import shlex

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import OverrideParseException

from cifar100.__main__ import main
from cifar100.base.errors import FAILED, MISTYPED
from cifar100.habits import parted
from cifar100.mistakes import explain, mistake


@pytest.mark.parametrize(
    ("typed", "cure"),
    [
        ("study=a=b", 'study="a=b"'),
        ("label=我的题目", 'label="我的题目"'),
        ("label=it's", 'label="it\'s"'),
        ('label=a "b" = c', "label='a \"b\" = c'"),
        ("label=50%, or more!", 'label="50%, or more!"'),
        ("label='open", 'label="open"'),
        ("+note=a:b;c=", '+note="a:b;c="'),
    ],
)
def test_what_hydras_grammar_cannot_read_is_shown_as_it_would_work(typed, cure):
    parser = OverridesParser.create()
    with pytest.raises(OverrideParseException) as error:
        parser.parse_overrides([typed])
    assert mistake(error.value) == MISTYPED
    told, _, shown = explain(error.value).rpartition(": ")
    assert told == f"{typed} cannot be read; quote the value, and all of it for the shell"
    assert shlex.split(shown) == [cure]
    assert parser.parse_override(cure).value() == cure.partition("=")[2][1:-1]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("seed=1\r", "seed=1 ends in a Windows line end; save the script with Unix ones: sed -i 's/\\r$//' <script>"),
        ("model", "model has no =; options are typed as name=value, such as model=..."),
    ],
)
def test_line_ends_of_windows_and_a_missing_sign_are_named(typed, told):
    with pytest.raises(OverrideParseException) as error:
        OverridesParser.create().parse_overrides([typed])
    assert explain(error.value) == told


def test_flags_may_stand_anywhere():
    assert parted(["seed=0,1", "-m", "model=x"]) == (["-m"], ["seed=0,1", "model=x"])
    assert parted(["a=1", "--config-dir", "mine", "b=2", "-c", "job"]) == (
        ["--config-dir", "mine", "-c", "job"],
        ["a=1", "b=2"],
    )
    assert parted(["--info", "defaults", "a=1", "-i", "b=2"]) == (["--info", "defaults", "-i"], ["a=1", "b=2"])


@pytest.mark.parametrize("words", [["-m", "train", "attention=eca,se"], ["train", "attention=eca,se", "-m", "seed=0"]])
def test_m_first_or_between_overrides_is_a_sweep(words, typed, tmp_path):
    ended = typed(*words, "data=digits", "trainer.num_train_epochs=0")
    assert ended.status == 0 and ended.out.rstrip().endswith("2 jobs: 2 counted")


@pytest.mark.parametrize("asked", [["--help"], ["-h"], ["help"], []])
def test_help_is_no_mistake(asked, capsys):
    with pytest.raises(SystemExit) as end:
        main(asked)
    out, err = capsys.readouterr()
    assert end.value.code == 0 and not err and "train ..." in out and "evaluate ..." in out


@pytest.mark.parametrize(
    ("asked", "told"), [(["trian", "seed=0"], "did you mean train?"), (["-m"], "-m is no command")]
)
def test_a_command_that_there_is_not_is_answered_with_the_nearest(asked, told, capsys):
    with pytest.raises(SystemExit) as end:
        main(asked)
    out, err = capsys.readouterr()
    assert end.value.code == MISTYPED and not out and told in err.splitlines()[0]


@pytest.mark.parametrize(
    ("words", "told"),
    [("hydra/launcher=proceses", "did you mean processes?"), ("hydra/sweeper=hpoo", "did you mean hpo?")],
)
def test_launchers_and_sweepers_have_near_misses_too(words, told, typed):
    ended = typed("train", "-m", words, "seed=0,1")
    assert ended.status == MISTYPED and ended.err == f"{words} is unknown; {told}\n"


@pytest.mark.parametrize("words", [["norm=nope"], ["seed=x"], ["-m", "seed=x,y"]])
def test_hydra_full_error_brings_the_traceback_back(words, typed, monkeypatch):
    assert "Traceback" not in typed("train", *words).err
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    ended = typed("train", *words)
    assert ended.status in (FAILED, MISTYPED) and "Traceback" in ended.err and "UserError: " in ended.err
    assert os.environ["HYDRA_FULL_ERROR"] == "1"
