"""What the page shows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from wbc_tf.files.pictures import write_image
from wbc_tf.page.handlers import SHORT_SIDES, Handlers, escape
from wbc_tf.page.models import Offer
from wbc_tf.page.videos import CONTAINER, QUALITIES

#: scikit-image's sample photos: name in `skimage.data` -> what we call it.
EXAMPLES = {"astronaut": "astronaut", "chelsea": "cat", "coffee": "coffee", "rocket": "rocket"}

_CODECS = {"h264": "H.264 (plays everywhere)", "vp9": "VP9 (WebM)", "av1": "AV1 (small, slow)"}

_UPLOAD: Any = ["upload", "clipboard", "webcam"]


def build_page(handlers: Handlers) -> gr.Blocks:
    """The page. Nothing listens yet.

    Args:
      handlers: what its buttons call.
    """
    jobs: dict[str, Any] = {
        "preprocess": False,
        "concurrency_limit": handlers.limits.max_jobs,
        "concurrency_id": "network",
    }
    with gr.Blocks(title="Cartoons from photos", analytics_enabled=False) as page:
        gr.Markdown(
            "# Cartoons from photos\nChoose a photo or a video, and see it as a cartoon. Files "
            "stay on this server and are removed after an hour."
        )
        with gr.Tab("Photo"):
            _photo_tab(handlers, jobs)
        with gr.Tab("Video"):
            _video_tab(handlers, jobs)
        page.unload(handlers.cancel)
    return page


def _photo_tab(handlers: Handlers, jobs: Mapping[str, Any]) -> None:
    with gr.Row():
        with gr.Column(scale=3, min_width=320):
            with gr.Tab("One photo"):
                photo = gr.Image(
                    label="Your photo",
                    sources=_UPLOAD,
                    type="filepath",
                    image_mode=None,
                    height=320,
                    elem_id="photo",
                )
                gr.Examples(
                    [[str(file)] for file in _example_files(handlers.workspace.folder)],
                    inputs=[photo],
                    label="Or try one of these",
                    api_visibility="private",
                )
                one = gr.Button("Make the cartoon", variant="primary", elem_id="make-photo")
                slider = gr.ImageSlider(
                    label="Before and after",
                    interactive=False,
                    buttons=["fullscreen"],
                    elem_id="slider",
                )
                download = gr.DownloadButton(
                    "Download the cartoon", interactive=False, elem_id="download-photo"
                )
                note = gr.Markdown(elem_id="note-photo")
            with gr.Tab("Several photos"):
                photos = gr.File(
                    label="Your photos",
                    file_count="multiple",
                    file_types=["image"],
                    height=200,
                    elem_id="photos",
                )
                several = gr.Button("Make the cartoons", variant="primary", elem_id="make-photos")
                gallery = gr.Gallery(
                    label="The cartoons", interactive=False, buttons=[], elem_id="gallery"
                )
                archive = gr.DownloadButton(
                    "Download all as a ZIP file", interactive=False, elem_id="download-photos"
                )
                notes = gr.Markdown(elem_id="note-photos")
        with gr.Column(scale=2, min_width=280):
            settings = _settings(handlers.offers)
    made = one.click(
        handlers.photo,
        [photo, *settings],
        [slider, download, note],
        api_name="photo",
        api_description="Makes a cartoon of one photo.",
        **jobs,
    )
    _enable(download, made)
    made = several.click(
        handlers.photos,
        [photos, *settings],
        [gallery, archive, notes],
        api_name="photos",
        api_description="Makes cartoons of several photos.",
        **jobs,
    )
    _enable(archive, made)


def _video_tab(handlers: Handlers, jobs: Mapping[str, Any]) -> None:
    most = handlers.limits.max_video_seconds
    with gr.Row():
        with gr.Column(scale=3, min_width=320):
            video = gr.Video(label="Your video", sources=["upload"], height=320, elem_id="video")
            with gr.Row():
                make = gr.Button("Make the cartoon", variant="primary", elem_id="make-video")
                cancel = gr.Button("Cancel", variant="stop", elem_id="cancel-video")
            result = gr.Video(
                label="The cartoon", interactive=False, buttons=[], elem_id="result-video"
            )
            download = gr.DownloadButton(
                "Download the video", interactive=False, elem_id="download-video"
            )
            note = gr.Markdown(elem_id="note-video")
        with gr.Column(scale=2, min_width=280):
            settings = _settings(handlers.offers)
            start = gr.Number(
                0, minimum=0, label="Start", info="Seconds to leave out at the beginning."
            )
            duration = gr.Number(
                min(10.0, most),
                minimum=0,
                maximum=most,
                label="Duration",
                info=f"Seconds to make, up to {most:g}.",
            )
            stabilize = gr.Checkbox(
                True, label="Less flicker", info="Blends each frame with the one before it."
            )
            codec = gr.Dropdown(
                [(_CODECS[name], name) for name in CONTAINER],
                value="h264",
                label="Codec",
                info="How the video is compressed.",
            )
            quality = gr.Dropdown(
                [(name.capitalize(), name) for name in QUALITIES],
                value="high",
                label="Quality",
                info="The lower the quality, the smaller the file.",
            )
    made = make.click(
        handlers.video,
        [video, *settings, start, duration, stabilize, codec, quality],
        [result, download, note],
        api_name="video",
        api_description="Makes a cartoon of a video.",
        **jobs,
    )
    _enable(download, made)
    cancel.click(handlers.cancel, queue=False, api_visibility="private")


def _settings(offers: Mapping[str, Offer]) -> list[Any]:
    """Model, working resolution, strength, smoothing and brightness, in the handlers' order."""
    first = next(iter(offers.values()))
    model = gr.Dropdown(
        [(offer.label, name) for name, offer in offers.items()],
        value=first.name,
        label="Style",
        info="The model that draws.",
    )
    licence = gr.Markdown(_licence(first))
    short_side = gr.Slider(
        *SHORT_SIDES,
        value=first.cartoonizer.short_side,
        step=8,
        label="Working resolution",
        info="Lower is faster and has larger shapes. The result keeps the size of the photo.",
    )
    strength = gr.Slider(
        0,
        1.5,
        value=1,
        step=0.05,
        label="Strength",
        info="0 is the photo, 1 is the cartoon. More goes beyond it.",
    )
    delta = gr.Slider(
        0,
        1,
        value=first.cartoonizer.delta,
        step=0.05,
        label="Smoothing",
        info="Less is sharper.",
        visible=first.has_delta,
    )
    match_brightness = gr.Checkbox(
        first.cartoonizer.match_brightness,
        label="Keep the brightness",
        info="Makes the cartoon as bright as the photo.",
        visible=first.has_brightness,
    )

    def chosen(name: str) -> list[Any]:
        offer = offers[name]
        return [
            _licence(offer),
            offer.cartoonizer.short_side,
            gr.Slider(value=offer.cartoonizer.delta, visible=offer.has_delta),
            gr.Checkbox(value=offer.cartoonizer.match_brightness, visible=offer.has_brightness),
        ]

    model.input(
        chosen,
        [model],
        [licence, short_side, delta, match_brightness],
        api_visibility="private",
        queue=False,
    )
    return [model, short_side, strength, delta, match_brightness]


def _licence(offer: Offer) -> str:
    return f"Licence of this style and its results: {escape(offer.licence)}"


def _enable(download: gr.DownloadButton, made: Any) -> None:
    """There is something to download as soon as a request succeeded."""
    made.success(
        lambda: gr.DownloadButton(interactive=True),
        outputs=[download],
        api_visibility="private",
        queue=False,
        show_progress="hidden",
    )


def _example_files(folder: Path) -> list[Path]:
    from skimage import data

    files = []
    for sample, name in EXAMPLES.items():
        files.append(folder / "examples" / f"{name}.png")
        files[-1].parent.mkdir(exist_ok=True)
        write_image(files[-1], getattr(data, sample)())
    return files
