"""The functions behind the demo page: networks by name, test images, answers; the command's refusals."""

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from PIL import Image

from cifar100.app import answers, demo_page
from cifar100.app.answers import Networks, answer, draw_samples, read_samples
from cifar100.app.prediction import load_classifier
from cifar100.base.errors import UserError
from cifar100.config import trusting
from cifar100.data.digits import read_digits


@pytest.fixture
def networks(digits_run, tmp_path) -> Networks:
    for seed in (0, 1):
        digits_run(tmp_path / "multirun" / "digits" / f"run-seed{seed}", seed)
    digits_run(tmp_path / "multirun" / "digits" / "no-weights", 0, checkpoint=None)
    return Networks(str(tmp_path / "multirun"))


def test_networks_are_the_runs_that_have_weights(networks, tmp_path):
    assert [path.name for path in networks.folders.values()] == ["run-seed0", "run-seed1"]
    first, second = map(networks.load, networks.folders)
    assert first is networks.load(next(iter(networks.folders)))
    assert not torch.equal(*(next(each.network.parameters()) for each in (first, second)))
    with pytest.raises(UserError, match="holds no weights; train first"):
        Networks(str(tmp_path / "multirun" / "digits" / "no-weights"))


def test_a_network_is_loaded_with_what_the_command_trusts(networks, tmp_path, monkeypatch):
    from cifar100.config import own_folders

    monkeypatch.setattr(answers, "load_classifier", lambda path: own_folders())
    (tmp_path / "mine" / "conf").mkdir(parents=True)
    monkeypatch.setattr(sys, "path", sys.path[:])
    with trusting([tmp_path / "mine" / "conf"]), ThreadPoolExecutor(1) as pool:
        there = Networks([str(tmp_path / "multirun")])
        assert list(pool.map(there.load, there.folders)) == [(tmp_path / "mine" / "conf",)] * 2


def test_an_answer_is_that_of_predict_with_the_evidence_for_a_class(networks):
    pytest.importorskip("captum")
    data = networks.images()
    classifier = networks.load(next(iter(networks.folders)))
    index = 7
    found = answer(classifier, data.test.images[index, 0].numpy())
    assert found.guesses == classifier.predict(data.test.images[index : index + 1])[0]
    assert found.seen.shape == found.evidence.shape == (256, 256, 3) and found.seen.dtype == np.uint8
    assert np.array_equal(found.seen[::32, ::32, 0], data.test.images[index, 0].numpy())
    evidence = {}
    for guess in found.guesses:
        chosen = answer(classifier, data.test.images[index, 0].numpy(), guess.name)
        assert chosen.guesses == found.guesses and chosen.explained in (guess.name, "")
        evidence[guess.name] = chosen.evidence
        if not chosen.explained:
            assert np.array_equal(chosen.evidence, chosen.seen), "nothing is laid over it"
    assert np.array_equal(evidence[found.guesses[0].name], found.evidence)
    assert any(not np.array_equal(each, found.evidence) for each in evidence.values())


def test_samples_are_test_images_with_their_classes(image_cache):
    data = read_digits()
    samples = draw_samples(data, 20, seed=3)
    held = {
        image.tobytes(): data.class_names[label]
        for image, label in zip(data.test.images.numpy(), data.test.labels.tolist(), strict=True)
    }
    assert len({image.tobytes() for image, _ in samples}) == 20
    assert all(held[image.tobytes()] == name and image.shape == (8, 8) for image, name in samples)
    assert draw_samples(data, 20, seed=3)[0][1] == samples[0][1]
    assert len(draw_samples(data, 10**6)) == len(data.test)


def test_samples_of_a_folder_are_named_by_their_files(tmp_path):
    picture = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    Image.fromarray(picture).save(tmp_path / "01-maple_tree.png")
    ((found, name),) = read_samples(tmp_path)
    assert name == "maple_tree" and np.array_equal(found, picture)


def test_without_its_images_a_page_takes_own_pictures_only(networks, caplog):
    assert networks.images("/nowhere/cifar100") is None
    assert "no test images, own pictures only: " in caplog.text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "run_dir is missing"),
        (["multirun", "port=0"], "port=0 must be a whole number from 1 to 65535"),
        (["multirun", "port=a"], "port=a must be a whole number"),
        (["multirun/nowhere"], "names no run directory"),
    ],
)
def test_mistakes_are_one_line(typed, networks, monkeypatch, arguments, message):
    monkeypatch.setattr(demo_page, "require", lambda *names, extra: None)
    ended = typed("demo", *arguments)
    assert ended.status == 2 and message in ended.err and len(ended.err.splitlines()) == 1


def test_without_gradio_one_line_says_what_to_install(typed, networks, monkeypatch):
    monkeypatch.setattr("cifar100.deploy.extra.find_spec", lambda name: None)
    ended = typed("demo", "multirun")
    assert ended.status == 2 and ended.err == "demo needs gradio, captum; pip install 'cifar100-lab[demo]'\n"


def test_a_network_reads_pictures_within_bounds(networks, tmp_path):
    classifier = load_classifier(next(iter(networks.folders.values())))
    path = tmp_path / "picture.png"
    for content in (b"no picture", Image.new("1", (8000, 8000))):
        path.write_bytes(content) if isinstance(content, bytes) else content.save(path)
        with pytest.raises(UserError, match=r"picture.png cannot be read \(.*(it is no PNG, |more than 50,000,000)"):
            answer(classifier, path)
