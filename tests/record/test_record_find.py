import pytest

from cifar100.record import RecordError, RunDirectory, find_runs


@pytest.fixture
def root(tmp_path):
    for name in ("eca/a-1", "eca/b-2", "ghost/c[1,2]-3"):
        run = RunDirectory(tmp_path / name)
        run.write_config({"a": 1})
        run.write_text("figures/config.yaml", "no run below a run")
    RunDirectory(tmp_path / "eca" / "d-4").write_status("failed", error="x")
    (tmp_path / "eca" / "empty").mkdir()
    (tmp_path / "eca" / ".submitit" / "e").mkdir(parents=True)
    (tmp_path / "eca" / ".submitit" / "e" / "config.yaml").touch()
    (tmp_path / "eca" / "loop").symlink_to(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("eca/a-1", ["a-1"]),
        ("eca", ["a-1", "b-2", "d-4"]),
        ("eca/", ["a-1", "b-2", "d-4"]),
        ("", ["a-1", "b-2", "d-4", "c[1,2]-3"]),
        ("*/[ab]-*", ["a-1", "b-2"]),
        ("**/c*", ["c[1,2]-3"]),
        ("ghost/c[1,2]-3", ["c[1,2]-3"]),
        ("eca/../eca/a-1", ["a-1"]),
    ],
)
def test_runs_are_found(root, pattern, names):
    assert [run.name for run in find_runs(str(root / pattern))] == names
    assert [run.name for run in find_runs(root / pattern)] == names


def test_several_patterns_name_each_run_once(root, monkeypatch):
    monkeypatch.chdir(root)
    runs = find_runs(["eca/b-*", root / "eca" / "b-2", "./eca/b-2", "ghost"])
    assert [run.name for run in runs] == ["b-2", "c[1,2]-3"] or [run.name for run in runs] == ["c[1,2]-3", "b-2"]
    assert find_runs("eca/a-1")[0].path.as_posix() == "eca/a-1", "paths stay as typed"


@pytest.mark.parametrize(
    ("pattern", "cure"),
    [
        ("ecca", "has eca"),
        ("eca/a-2", "has .*a-1"),
        ("eca/empty", "names no run directory"),
        ("zzz*", "has eca, ghost"),
        ("nowhere/at/all", "has eca, ghost"),
    ],
)
def test_a_pattern_without_runs_names_what_is_there(root, pattern, cure):
    with pytest.raises(RecordError, match=cure) as caught:
        find_runs(str(root / pattern))
    assert str(caught.value).isprintable()


def test_no_runs_at_all(tmp_path):
    with pytest.raises(RecordError, match="train one first with train.py"):
        find_runs(tmp_path)
