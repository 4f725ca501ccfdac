"""What the page's buttons call: from Gradio's values to a request, and back to what is shown."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr

from wbc_tf.files.pictures import read_photo
from wbc_tf.files.whole import write_whole
from wbc_tf.inference.settings import DrawSettings, VideoSettings
from wbc_tf.page.limits import Limits
from wbc_tf.page.models import Offer, offer_of
from wbc_tf.page.photos import (
    draw_photos,
    draw_upload,
    encode_upload,
    read_upload,
    write_preview,
    write_zip,
)
from wbc_tf.page.refusal import Refusal
from wbc_tf.page.workspace import Workspace

#: Working resolutions that may be asked for, in pixels.
SHORT_SIDES = (128, 2048)
# Seconds between two lines that say how far a video is.
_BETWEEN_NEWS = 0.5

T = TypeVar("T")

_LOG = logging.getLogger(__name__)


@contextlib.contextmanager
def in_sentences() -> Iterator[None]:
    """Within, errors become sentences in the page; what is our own fault goes to the log."""
    try:
        yield
    except Refusal as refusal:
        raise _shown(str(refusal)) from refusal
    except gr.Error:
        raise
    except Exception as error:
        _LOG.exception("a request failed")
        raise _shown(
            "This did not work because of a fault on this server. Its log tells more. "
            "Another picture may still work."
        ) from error


def _shown(sentence: str) -> gr.Error:
    # It stays until it is closed: slow readers need more than ten seconds.
    return gr.Error(sentence, duration=None, print_exception=False)


@dataclass
class Handlers:
    """The page's functions.

    Values come as the browser sends them, without Gradio's preprocessing: it would decode each
    picture once more, and answer broken ones with errors of its own. Gradio has checked that files
    are uploads.

    Attributes:
      offers: the models by name.
      limits: what is refused.
      workspace: where results go.
    """

    offers: Mapping[str, Offer]
    limits: Limits
    workspace: Workspace

    def photo(
        self,
        photo: Any,
        model: str,
        short_side: float,
        strength: float,
        delta: float,
        match_brightness: bool,
    ) -> Iterator[tuple[tuple[str, str], str | None, str]]:
        """One photo: before and after to look at, the file to download, notes.

        What can be looked at comes first: to encode a large file takes longer.
        """
        with in_sentences(), self.workspace.result_folder() as folder:
            if not photo:
                raise Refusal("Choose a photo first.")
            offer = offer_of(self.offers, model)
            settings = _draw_settings(offer, short_side, strength, delta, match_brightness)
            job, read = read_upload(_path(photo), folder, limits=self.limits)
            before = write_preview(read, folder, "before")
            cartoon = draw_upload(offer.cartoonizer, job, read, settings, limits=self.limits)
            shown = str(before), str(write_preview(cartoon, folder, "after"))
            yield shown, None, ""
            write_whole(job.target, encode_upload(job, cartoon, limits=self.limits))
            yield shown, str(job.target), _lines(read.notes)

    @in_sentences()
    def photos(
        self,
        photos: Any,
        model: str,
        short_side: float,
        strength: float,
        delta: float,
        match_brightness: bool,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  # Gradio finds it in the signature
    ) -> tuple[list[tuple[str, str]], str, str]:
        """Several photos: a gallery to look at, a ZIP file to download, failures and notes."""
        offer = offer_of(self.offers, model)
        settings = _draw_settings(offer, short_side, strength, delta, match_brightness)
        with self.workspace.result_folder() as folder:
            drawn = draw_photos(
                offer.cartoonizer,
                [_path(photo) for photo in photos or []],
                settings,
                folder,
                limits=self.limits,
                progress=lambda done, total: progress((done, total), unit="photos"),
            )
            previews = [
                (str(write_preview(read_photo(file), folder, f"preview-{number}")), file.name)
                for number, file in enumerate(drawn.files)
            ]
            archive = folder / "cartoons.zip"
            write_zip(drawn.files, archive)
        return previews, str(archive), _lines((*drawn.failures, *drawn.notes))

    def video(
        self,
        video: Any,
        model: str,
        short_side: float,
        strength: float,
        delta: float,
        match_brightness: bool,
        start: float,
        duration: float,
        stabilize: bool,
        codec: str,
        quality: str,
    ) -> Iterator[tuple[str | None, str | None, str]]:
        """A video: to look at, to download, notes; before that, how far it is, in place of notes.

        Gradio closes this generator when the visitor cancels or leaves. The video then ends after
        the frame that is being made.
        """
        from wbc_tf.page.videos import CONTAINER, QUALITIES, draw_video
        from wbc_tf.video.formats import CODECS

        with in_sentences():
            if not video:
                raise Refusal("Choose a video first.")
            if codec not in CONTAINER or quality not in QUALITIES:
                raise Refusal(
                    f"Choose one of the codecs {', '.join(CONTAINER)} and one of the qualities "
                    f"{', '.join(QUALITIES)}."
                )
            offer = offer_of(self.offers, model)
            settings = VideoSettings(
                draw=_draw_settings(offer, short_side, strength, delta, match_brightness),
                codec=codec,
                crf=(CODECS[codec].crf or 0) + QUALITIES[quality],
                start=_number(start, "Start", 0, 1e6),
                duration=_number(duration, "Duration", 0, 1e6),
                stabilize=bool(stabilize),
            )
            source = _path(video)
            told = "Reading the video."
            cancelled = threading.Event()

            def tell(done: int, total: int | None, left: str) -> None:
                nonlocal told
                told = f"{done} of {total} frames, {left}" if total else f"{done} frames"

            def draw() -> tuple[Path, tuple[str, ...]]:
                with self.workspace.result_folder() as folder:
                    return draw_video(
                        offer.cartoonizer,
                        source,
                        settings,
                        folder,
                        limits=self.limits,
                        progress=tell,
                        is_cancelled=cancelled.is_set,
                    )

            drawn = _begun(draw)
            try:
                while not wait([drawn], timeout=_BETWEEN_NEWS).done:
                    yield None, None, told
            finally:
                cancelled.set()
            file, notes = drawn.result()
        yield str(file), str(file), _lines(notes)


def _begun(work: Callable[[], T]) -> Future[T]:
    """Starts work in a thread. Unlike an executor's, it does not keep the process from ending."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def _path(upload: Any) -> Path:
    try:
        return Path(upload["path"])
    except (KeyError, TypeError) as error:
        raise Refusal("Upload a file.") from error


def _draw_settings(
    offer: Offer, short_side: Any, strength: Any, delta: Any, match_brightness: Any
) -> DrawSettings:
    return DrawSettings(
        short_side=round(_number(short_side, "Detail", *SHORT_SIDES)),
        strength=_number(strength, "Strength", 0, 1.5),
        delta=_number(delta, "Smoothing", 0, 1) if offer.has_delta else None,
        match_brightness=bool(match_brightness) if offer.has_brightness else None,
    )


def _number(value: Any, name: str, low: float, high: float) -> float:
    if not isinstance(value, (int, float)) or not low <= value <= high:
        raise Refusal(f"{name} is a number from {low:g} to {high:g}, not {value!r}.")
    return float(value)


def _lines(sentences: tuple[str, ...]) -> str:
    return "\n".join(f"- {escape(sentence)}" for sentence in sentences)


def escape(text: str) -> str:
    """Markdown that shows a text as it is, whatever a file is called."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>#|$!&" else c for c in text)
