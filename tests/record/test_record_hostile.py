"""Whatever bytes stand in a run directory, a reader returns valid data or refuses in one line."""

import json
import time
import tracemalloc

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cifar100.record import RecordError, RunDirectory

ROW = '{"epoch": 1, "train/loss": 2.5}\n'
STATUS = json.dumps({"state": "running", "host": "a", "pid": 1})
CONFIG = "model:\n  _target_: cifar100.models.network.Network\n  depths: [3, 3, 3]\nlr: 1.0e-3\n"
CHARACTERS = "[]{}:,-?|>'\"#%&*!@`~=<\\\n\r\t 01x\0\x1b\x85\u2028\ufeff中"
WORDS = """&a *a !!python/object/apply:os.system !!str !<x> ${ ${oc.env:HOME} << --- ... 1e999 -0b_ 0x 1:2:3 2020-01-01
.inf .nan NaN Infinity null true "\\ud800" "a": "state" "running" "epoch" 0.1""".split()
TOKENS = [*CHARACTERS, *WORDS, "- ", ": ", "? ", "<<: ", "---\n", "%YAML 1.2\n", "9" * 5000]
TOKENS += [piece * 2000 for piece in ("[", "- ", '{"a":', "{a: ")]


def _mutated(valid: str) -> st.SearchStrategy[bytes]:
    """The valid text with a part replaced by anything."""
    content = valid.encode()
    part = st.binary(max_size=20) | st.lists(st.sampled_from(TOKENS), max_size=4).map(lambda t: "".join(t).encode())
    place = st.integers(0, len(content))
    return st.builds(lambda a, b, new: content[: min(a, b)] + new + content[max(a, b) :], place, place, part)


def _hostile(valid: str) -> st.SearchStrategy[bytes]:
    tokens = st.lists(st.sampled_from(TOKENS), max_size=12).map(lambda t: "".join(t).encode())
    return st.one_of(st.binary(max_size=200), st.text(max_size=100).map(str.encode), tokens, _mutated(valid))


def _is_plain(value, depth=0) -> bool:
    if isinstance(value, dict):
        return depth < 60 and all(type(k) is str and _is_plain(v, depth + 1) for k, v in value.items())
    if isinstance(value, list):
        return depth < 60 and all(_is_plain(v, depth + 1) for v in value)
    return value is None or type(value) in (str, int, float, bool)


def _read(path, name, content, reader):
    """What `reader` makes of the content: plain data that can be printed and written, or None if refused."""
    (path / name).write_bytes(content)
    try:
        value = reader(RunDirectory(path))
    except RecordError as error:
        assert str(error).isprintable() and str(error).startswith(f"{path}/{name}"), str(error)
        return None
    assert _is_plain(value)
    json.dumps(value).encode()
    return value


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("hostile")


@given(_hostile(CONFIG))
@example(b"a: 1\na: 2\n")
@example(b"\xff\xfe")
@example(b"1: 2\n")
@example(b"? [1]\n: 2\n")
@example(b"")
def test_any_config(folder, content):
    value = _read(folder, "config.yaml", content, RunDirectory.config)
    if value is not None:
        assert "${" not in str(value)
        RunDirectory(folder).write_config(value)
        assert repr(RunDirectory(folder).config()) == repr(value)


@given(_hostile(STATUS))
@example(b'{"state": "running", "state": "finished"}')
def test_any_status(folder, content):
    value = _read(folder, "status.json", content, RunDirectory.status)
    assert value is None or value["state"] in ("running", "finished", "failed", "interrupted")


@given(_hostile('{"macs": 41000000, "best": {"epoch": 3}}'))
@example(b'{"a": 1e999}')
@example(b'{"a": NaN}')
def test_any_summary_environment_and_evaluation(folder, content):
    value = _read(folder, "summary.json", content, RunDirectory.summary)
    assert value is None or isinstance(value, dict)
    assert value == _read(folder, "environment.json", content, RunDirectory.environment)
    (folder / "evaluation").mkdir(exist_ok=True)
    assert value == _read(folder, "evaluation/m.json", content, lambda run: run.read_json("m.json"))
    if value is not None:
        RunDirectory(folder).write_summary(value)
        assert RunDirectory(folder).summary() == value


@given(_hostile(ROW + ROW.replace("1", "2")))
@example(b"\n")
@example(ROW.encode() * 2)
@example(ROW.encode() + b"\xe4\xb8")
def test_any_metrics(folder, content):
    rows = _read(folder, "metrics.jsonl", content, RunDirectory.metrics)
    if rows is not None:
        epochs = [row["epoch"] for row in rows]
        assert epochs == sorted(set(epochs))


@given(_hostile("class,top1\napple,0.5\n"))
def test_any_table(folder, content):
    (folder / "evaluation").mkdir(exist_ok=True)
    _read(folder, "evaluation/t.csv", content, lambda run: run.read_csv("t.csv"))


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(st.dictionaries(st.text(max_size=5), PLAIN, max_size=4).filter(lambda value: "${" not in str(value)))
@example({"a": "1e3", "b": "0o7", "c": "1_000", "d": "-.5e5", "e": "~", "f": "=", "<<": "<<", "g": "1:30", "h": ".NaN"})
@example(
    {"a": "\x85", "b": "\u2028x", "c": " lead", "d": "trail ", "e": "# x", "f": "a: b", "g": "\ufeff", "h": "\n\n"}
)
def test_any_plain_config_returns(folder, value):
    RunDirectory(folder).write_config(value)
    assert repr(RunDirectory(folder).config()) == repr(value)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("a: &x [1, 1]\nb: [*x, *x]\n", "line 1: anchors and aliases"),
        ("a: *x\n", "anchors and aliases"),
        ("a: !!python/object/apply:os.system [id]\n", "tag tag:yaml.org,2002:python/object/apply:os is refused"),
        ("a: !!binary aGk=\n", "tag"),
        ("a: !<x> 1\n", "tag"),
        ("a: ! b\n", "tag"),
        ("a: ${oc.env:HOME}\n", r"a holds '\$\{'"),
        ("${x}: 1\n", "holds"),
        ("a: {b: 1, b: 2}\n", "line 1: a key is given twice"),
        ("a: [1, 2\n", "line 2: expected ',' or ']'"),
        ("a: 1\n---\nb: 1\n", "line 2: but found another document"),
        ("- 1\n", "holds a list"),
        ("just text\n", "holds a str"),
        ("", "holds a NoneType"),
        ("1: 2\n", "key '1'"),
        ("? [1]\n: 2\n", "unhashable"),
        ("a: " + "9" * 5000 + "\n", "Exceeds the limit"),
        ("a: 0x" + "f" * 5000 + "\n", "more than 128 bits"),
        ("a: " + "[" * 60 + "]" * 60 + "\n", "nested"),
        ("a: '\0'\n", "special characters"),
    ],
)
def test_config_says_what_is_wrong(run, text, word):
    run.path.mkdir(parents=True)
    (run.path / "config.yaml").write_text(text)
    with pytest.raises(RecordError, match=word) as caught:
        run.config()
    assert str(caught.value).isprintable()


BOMBS = {
    "billion laughs": "a: &a [x]\n" + "".join(f"{c}: &{c} [{f'*{b},' * 9}]\n" for b, c in ("ab", "bc", "cd", "de")),
    "sequences": "[" * 131_000,
    "mappings": "{a: " * 32_000,
    "blocks": "- " * 65_000,
    "keys": "? " * 65_000,
    "open keys": "a\n" * 65_000,
    "anchors": "&a " * 43_000,
    "tags": "!a " * 43_000,
    "comments": "#" * 131_000,
    "escapes": '"' + "\\x41" * 32_000 + '"',
    "long scalar": "a" * 131_000,
    "many keys": "".join(f"{i}: " + "{}\n" for i in range(15_000)),
    "indents": "".join(" " * i + "a:\n" for i in range(500)),
    "too large": "a: 1\n" * 100_000,
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_yaml_bombs_are_refused_soon(run, name):
    run.path.mkdir(parents=True)
    (run.path / "config.yaml").write_text(BOMBS[name])
    start = time.process_time()
    with pytest.raises(RecordError):
        run.config()
    assert time.process_time() - start < 10


@pytest.mark.parametrize("text", ["[" * 10**6, '{"a":' * 10**5, '{"a": ' + "9" * 10**6 + "}", '{"a":"' + "x" * 2**21])
def test_json_bombs_are_refused_soon(run, text):
    run.path.mkdir(parents=True)
    for name, reader in (
        ("summary.json", run.summary),
        ("status.json", run.state),
        ("environment.json", run.environment),
    ):
        (run.path / name).write_text(text)
        start = time.process_time()
        with pytest.raises(RecordError, match=name):
            reader()
        assert time.process_time() - start < 2


def test_values_that_take_more_memory_than_their_text_are_counted_first(run):
    """An empty list is two bytes long and takes sixty; a row of one cell takes a dictionary."""
    many = 3_000_000
    contents = {
        "metrics.json": (b'{"a":[' + b"[]," * many + b"[]]}", lambda: run.read_json("metrics.json")),
        "table.csv": (b"a\n" * many, lambda: run.read_csv("table.csv")),
        "wide.csv": (b"," * many, lambda: run.read_csv("wide.csv")),
        "../metrics.jsonl": (b'{"epoch":1}\n' * (many // 3), run.metrics),
    }
    (run.path / "evaluation").mkdir(parents=True)
    for name, (content, reader) in contents.items():
        (run.path / "evaluation" / name).write_bytes(content)
        tracemalloc.start()
        with pytest.raises(RecordError, match="values in .* bytes, more than such a file may have"):
            reader()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < len(content) + 2**20, name


def test_a_confusion_matrix_of_a_thousand_classes_is_read(run):
    run.write_csv("confusion.csv", [f"class {n}" for n in range(1000)], ([7] * 1000 for _ in range(1000)))
    assert len(run.read_csv("confusion.csv")) == 1000
