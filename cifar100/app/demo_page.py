"""A page to try networks on, in gradio: own pictures or test images, the likeliest classes, where a network looks."""

import html
import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cifar100.app.answers import TOP, Networks, Sample, answer, draw_samples, read_samples
from cifar100.base.errors import UserError
from cifar100.base.values import check_whole
from cifar100.deploy.extra import require

log = logging.getLogger(__name__)
LARGEST_UPLOAD, KEPT = "20mb", 3600  # seconds that uploads stay
IMAGES = ("The network's input", "Grad-CAM")
CSS = ".pixels img {image-rendering: pixelated; width: 100%; height: 100%; object-fit: contain}"


def build_page(networks: Networks, samples: list[Sample], draw: Callable[[], list[Sample]] | None = None) -> Any:
    """A gradio.Blocks: a picture, one or two networks' answers to it beside each other, and images to choose from.

    Args:
        networks: the first two are shown; where there are more, the user chooses.
        samples: images to begin with.
        draw: makes others.
    """
    gr = require("demo", "gradio", "captum", extra="demo")

    names = list(networks.folders)
    with gr.Blocks(title="What does it see?", analytics_enabled=False, delete_cache=(KEPT, KEPT)) as blocks, gr.Row():
        with gr.Column():
            sources = ["upload", "clipboard", "webcam"]
            picture = gr.Image(label="Picture", sources=sources, format="png", height=280, elem_classes="pixels")
            # The file as it was uploaded, which is decoded within the bounds of `pixels` alone.
            picture.preprocess = lambda payload: None if payload is None else payload.path
            if samples:
                _offer(gr, samples, draw, picture)
        for name in names[:2]:
            with gr.Column():
                _column(gr, networks, gr.Dropdown(names, value=name, label="Network"), picture)
    return blocks


def _column(gr: Any, networks: Networks, name: Any, picture: Any) -> None:
    """A network's answer to the picture: classes with bars, its input, Grad-CAM for the class that is clicked."""
    guesses = gr.Label(num_top_classes=TOP, label="Top five; click one to see its evidence")
    with gr.Row():
        seen, evidence = (gr.Image(label=each, interactive=False, format="png", buttons=[]) for each in IMAGES)

    def show(picture: str | None, name: str | None, explained: str | None = None) -> list[Any]:
        if picture is None or name is None:
            return [None, None, gr.Image(None, label=IMAGES[1])]
        try:
            found = answer(networks.load(name), picture, explained)
        except (UserError, OSError) as error:
            fault = str(error).replace(picture, Path(picture).name)
            raise gr.Error(html.escape(fault), print_exception=False) from error
        label = f"Evidence for {found.explained}" if found.explained else "No evidence"
        return [dict(found.guesses), found.seen, gr.Image(found.evidence, label=label)]

    def explain(picture: str | None, name: str | None, chosen: gr.SelectData) -> list[Any]:
        return show(picture, name, chosen.value)

    # One at a time: Grad-CAM hangs hooks into the network.
    options = {"api_visibility": "private", "concurrency_id": "network", "concurrency_limit": 1}
    wires = [picture, name], [guesses, seen, evidence]
    gr.on([picture.change, name.change], show, *wires, **options)
    guesses.select(explain, *wires, **options)


def _offer(gr: Any, samples: list[Sample], draw: Callable[[], list[Sample]] | None, picture: Any) -> None:
    """Images to choose from, which become the picture."""
    held = gr.State(samples)
    gallery = gr.Gallery(
        samples, label="Test images", columns=3, height="auto", format="png", allow_preview=False, interactive=False,
        elem_classes="pixels", buttons=[],
    )  # fmt: skip

    def pick(held: list[Sample], chosen: gr.SelectData) -> np.ndarray:
        return held[chosen.index][0]

    gallery.select(pick, held, picture, api_visibility="private")
    if draw is not None:
        gr.Button("Other test images").click(lambda: [draw()] * 2, None, [gallery, held], api_visibility="private")


def serve(
    run_dir: str | Sequence[str],
    *,
    revision: str | None = None,
    host: str = "127.0.0.1",
    port: int | None = None,
    samples: str | None = None,
    data_path: str | None = None,
    cache_dir: str | None = None,
) -> None:
    """Serves the page until it is interrupted, as conf/demo.yaml explains; ``samples`` is a folder of pictures that
    stand in the test images' place.

    Raises:
        UserError: in one line: no such network, a package that is missing, or a port that is taken.
        KeyboardInterrupt: always.
    """
    require("demo", "gradio", "captum", extra="demo")
    if port is not None:
        check_whole("port", port, most=2**16 - 1, cure=", or null for the first free one")
    networks = Networks(run_dir, revision)
    networks.load(next(iter(networks.folders)))  # so that a mistake is met here, not in the page
    data = None if samples else networks.images(data_path, cache_dir)
    draw = None if data is None else (lambda: draw_samples(data))
    blocks = build_page(networks, read_samples(samples) if samples else draw() if draw else [], draw)
    blocks.queue(max_size=32)
    try:
        _, address, _ = blocks.launch(
            server_name=host, server_port=port, max_file_size=LARGEST_UPLOAD, share=False, quiet=True, css=CSS,
            footer_links=[], prevent_thread_lock=True, enable_monitoring=False, mcp_server=False, ssr_mode=False,
        )  # fmt: skip
    except OSError as error:
        raise UserError(f"host={host} port={port}: {error}") from error
    log.info("%s shows the page; Control-C ends it", address)
    try:
        threading.Event().wait()
    finally:
        blocks.close(verbose=False)


def demo_command(*, run_dir: str | Sequence[str], data: dict[str, str | None], **options: Any) -> None:
    """`serve`, with the options of conf/demo.yaml."""
    serve(run_dir, data_path=data["path"], cache_dir=data["cache_dir"], **options)
