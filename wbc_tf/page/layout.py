"""What the page shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from wbc_tf.files.samples import write_samples
from wbc_tf.page.examples import draw_example
from wbc_tf.page.handlers import SHORT_SIDES, Handlers, escape
from wbc_tf.page.models import Offer
from wbc_tf.page.videos import CONTAINER, QUALITIES

#: What the page says of a video that was cancelled.
CANCELLED = "Cancelled."

_CODECS = {"h264": "H.264 (plays everywhere)", "vp9": "VP9 (WebM)", "av1": "AV1 (small, slow)"}

_UPLOAD: Any = ["upload", "clipboard", "webcam"]

# Run in the browser: a button can be clicked if it has a file to download.
_IF_FILE = "(file) => ({__type__: 'update', interactive: Boolean(file)})"


def theme() -> gr.themes.Base:
    """Colours and fonts of the page. Each text has a contrast of 4.5 to 1 or more."""
    return gr.themes.Soft(
        # Fonts of the visitor's machine: Gradio's own theme asks another server for its.
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    ).set(
        block_border_width="1px",
        # Gradio's own greys are too pale to be read by all.
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_300",
        block_label_background_fill="*neutral_100",
        block_label_background_fill_dark="*neutral_700",
        block_label_text_color="*neutral_700",
        block_title_background_fill="none",
        block_title_background_fill_dark="none",
        block_title_padding="0",
        block_title_text_color="*neutral_800",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_dark="*primary_600",
        button_secondary_border_color="*neutral_300",
        button_secondary_border_color_dark="*neutral_500",
        button_border_width="1px",
    )


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
    with gr.Blocks(title="Cartoons from photos and videos", analytics_enabled=False) as page:
        gr.Markdown(
            "# Turn a photo or a video into a cartoon\n"
            "Choose a photo, make the cartoon, and move the line to compare. "
            "Your files stay on this server and are removed after an hour."
        )
        # They stand below the tabs, since they hold for all of them.
        settings = _settings(handlers.offers)
        with gr.Tab("Photo"):
            _photo_tab(handlers, settings, jobs)
        with gr.Tab("Several photos"):
            _photos_tab(handlers, settings, jobs)
        with gr.Tab("Video"):
            _video_tab(handlers, settings, jobs)
        _place(settings, handlers.offers)
    return page


def _photo_tab(handlers: Handlers, settings: list[Any], jobs: Mapping[str, Any]) -> None:
    folder = handlers.workspace.folder / "examples"
    folder.mkdir(exist_ok=True)
    examples = write_samples(folder)
    first = next(iter(handlers.offers.values()))
    before, after = draw_example(first.cartoonizer, examples[0])
    with gr.Row():
        with gr.Column(min_width=320):
            photo = gr.Image(
                label="Your photo",
                sources=_UPLOAD,
                type="filepath",
                image_mode=None,
                height=340,
                elem_id="photo",
            )
            make = gr.Button("Make the cartoon", variant="primary", elem_id="make-photo")
            gr.Examples(
                [[str(file)] for file in examples],
                inputs=[photo],
                label="Or try one of these",
                api_visibility="private",
                elem_id="examples",
            )
        with gr.Column(min_width=320):
            before_and_after = gr.ImageSlider(
                (str(before), str(after)),
                label="Before and after",
                interactive=False,
                buttons=["fullscreen"],
                elem_id="slider",
            )
            download = gr.DownloadButton(
                "Download the cartoon", interactive=False, elem_id="download-photo"
            )
            note = gr.Markdown(elem_id="note-photo")
    made = make.click(
        handlers.photo,
        [photo, *settings],
        [before_and_after, download, note],
        api_name="photo",
        api_description="Makes a cartoon of one photo.",
        show_progress_on=before_and_after,
        # Gradio's full one is an animation. A browser without a GPU spends one to two seconds of
        # processor time on it, which the network lacks when both run on one machine.
        show_progress="minimal",
        **jobs,
    )
    made.success(None, [download], [download], js=_IF_FILE)


def _photos_tab(handlers: Handlers, settings: list[Any], jobs: Mapping[str, Any]) -> None:
    with gr.Row():
        with gr.Column(min_width=320):
            photos = gr.File(
                label="Your photos",
                file_count="multiple",
                file_types=["image"],
                height=340,
                elem_id="photos",
            )
            make = gr.Button("Make the cartoons", variant="primary", elem_id="make-photos")
        with gr.Column(min_width=320):
            gallery = gr.Gallery(
                label="The cartoons", interactive=False, buttons=[], height=340, elem_id="gallery"
            )
            archive = gr.DownloadButton(
                "Download all as a ZIP file", interactive=False, elem_id="download-photos"
            )
            notes = gr.Markdown(elem_id="note-photos")
    made = make.click(
        handlers.photos,
        [photos, *settings],
        [gallery, archive, notes],
        api_name="photos",
        api_description="Makes cartoons of several photos.",
        show_progress_on=gallery,
        **jobs,
    )
    made.success(None, [archive], [archive], js=_IF_FILE)


def _video_tab(handlers: Handlers, settings: list[Any], jobs: Mapping[str, Any]) -> None:
    most = handlers.limits.max_video_seconds
    with gr.Row():
        with gr.Column(min_width=320):
            video = gr.Video(label="Your video", sources=["upload"], height=340, elem_id="video")
            with gr.Row():
                start = gr.Number(
                    0,
                    minimum=0,
                    label="Start",
                    info="Seconds to leave out at the beginning.",
                    min_width=130,
                )
                duration = gr.Number(
                    min(10.0, most),
                    minimum=0,
                    maximum=most,
                    label="Duration",
                    info=f"Seconds to make, up to {most:g}.",
                    min_width=130,
                )
            with gr.Row():
                make = gr.Button("Make the cartoon", variant="primary", elem_id="make-video")
                cancel = gr.Button("Cancel", elem_id="cancel-video")
        with gr.Column(min_width=320):
            result = gr.Video(
                label="The cartoon",
                interactive=False,
                buttons=[],
                height=340,
                elem_id="result-video",
            )
            note = gr.Markdown(elem_id="note-video")  # also says how far it is
            download = gr.DownloadButton(
                "Download the video", interactive=False, elem_id="download-video"
            )
    with gr.Accordion("Video settings", open=False), gr.Row():
        stabilize = gr.Checkbox(
            True, label="Less flicker", info="Blends each frame with the one before it."
        )
        quality = gr.Dropdown(
            [(name.capitalize(), name) for name in QUALITIES],
            value="high",
            label="Quality",
            info="The lower the quality, the smaller the file.",
        )
        codec = gr.Dropdown(
            [(_CODECS[name], name) for name in CONTAINER],
            value="h264",
            label="Codec",
            info="How the video is compressed.",
        )
    made = make.click(
        handlers.video,
        [video, *settings, start, duration, stabilize, codec, quality],
        [result, download, note],
        api_name="video",
        api_description="Makes a cartoon of a video.",
        show_progress_on=result,
        **jobs,
    )
    made.success(None, [download], [download], js=_IF_FILE)
    cancel.click(
        lambda: (None, None, CANCELLED),
        None,
        [result, download, note],
        cancels=[made],
        queue=False,
        api_visibility="private",
    )


def _settings(offers: Mapping[str, Offer]) -> list[Any]:
    """Model, working resolution, strength, smoothing and brightness, in the handlers' order.

    They are not placed yet.
    """
    first = next(iter(offers.values()))
    return [
        gr.Dropdown(
            [(offer.label, name) for name, offer in offers.items()],
            value=first.name,
            label="Style",
            info="The model that draws.",
            visible=len(offers) > 1,
            render=False,
        ),
        gr.Slider(
            *SHORT_SIDES,
            value=_short_side(first),
            step=8,
            label="Detail",
            info="More draws smaller shapes and takes longer. The cartoon keeps the photo's size.",
            render=False,
        ),
        gr.Slider(
            0,
            1.5,
            value=1,
            step=0.05,
            label="Strength",
            info="0 is the photo, 1 is the cartoon. More goes beyond it.",
            render=False,
        ),
        gr.Slider(
            0,
            1,
            value=first.cartoonizer.delta,
            step=0.05,
            label="Smoothing",
            info="Less is sharper.",
            visible=first.has_delta,
            render=False,
        ),
        gr.Checkbox(
            first.cartoonizer.match_brightness,
            label="Keep the brightness",
            info="Makes the cartoon as bright as the photo.",
            visible=first.has_brightness,
            render=False,
        ),
    ]


def _place(settings: list[Any], offers: Mapping[str, Offer]) -> None:
    model, short_side, strength, delta, match_brightness = settings
    with gr.Accordion("Cartoon settings", open=False, elem_id="settings"):
        model.render()
        with gr.Row():
            for slider in (strength, short_side, delta):
                slider.render()
        match_brightness.render()
    licence = gr.Markdown(_licence(next(iter(offers.values()))), elem_id="licence")

    def chosen(name: str) -> list[Any]:
        offer = offers[name]
        return [
            _licence(offer),
            _short_side(offer),
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


def _short_side(offer: Offer) -> int:
    """The model's own working resolution, or the nearest that the slider has."""
    low, high = SHORT_SIDES
    return min(max(offer.cartoonizer.short_side, low), high)


def _licence(offer: Offer) -> str:
    return f"Licence of this style and its results: {escape(offer.licence)}"
