"""describe() of a run directory that was never pushed: from its own record, else from what is published of the data."""

import pytest

from cifar100.data.specs import DIGITS
from cifar100.hub import HubError, describe
from cifar100.record import RunDirectory


@pytest.fixture
def copy(record, tmp_path) -> RunDirectory:
    """A run of the same configuration, without weights."""
    other = RunDirectory(tmp_path / "run")
    other.write_config(record.config())
    other.write_status("finished")
    return other


def test_an_older_record_falls_back_on_its_data_set(record):
    about = describe(record.path)
    assert (about.class_names, about.mean, about.std, about.data) == (
        DIGITS.class_names,
        DIGITS.mean,
        DIGITS.std,
        "digits",
    )
    assert about.model == record.config()["model"] and about.checkpoint == "best"


def test_a_record_tells_its_own_classes(copy):
    names = [f"class {index}" for index in range(10)]
    data = {"name": "digits", "fingerprint": "0", "class_names": names, "mean": [0.25], "std": [0.5]}
    copy.write_environment({"data": data})
    copy.write_summary({"last": {"epoch": 7}})
    about = describe(copy.path)
    assert (about.class_names, about.mean, about.std, about.epoch) == (tuple(names), (0.25,), (0.5,), 7)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ({"class_names": ["a"]}, "as many entries"),
        ({"class_names": ["\x1b[2J"] * 10}, "no name"),
        ({"std": [0]}, "std is 0"),
        ({"mean": ["x"]}, "no list of numbers"),
    ],
)
def test_what_cannot_be_is_refused(copy, damage, message):
    data = {"class_names": [str(index) for index in range(10)], "mean": [0.25], "std": [0.5]}
    copy.write_environment({"data": data | damage})
    with pytest.raises(HubError, match=message):
        describe(copy.path)


def test_an_unknown_data_set_without_names_is_refused_with_the_cure(copy):
    config = copy.config()
    config["data"]["name"] = "mine"
    copy.write_config(config)
    with pytest.raises(HubError, match="train it again"):
        describe(copy.path)
