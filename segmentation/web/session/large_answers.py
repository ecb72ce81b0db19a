"""What a browser window is answered that asks for the segmentation of an image that is read part by part."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from segmentation.features.spec import FeatureSpec
from segmentation.io.limits import ImageError
from segmentation.model.channels import channels_note
from segmentation.model.values import CalmNote
from segmentation.web.session.depth import no_stack
from segmentation.web.session.large_images import LargeImages
from segmentation.web.session.large_segmentation import LargeSegmentation
from segmentation.web.session.packed_tile import Message
from segmentation.web.session.scheduler import Scheduler
from segmentation.web.session.tile_request import TileRequest
from segmentation.web.session.training import TrainedClassifier, Trainer, TrainingSet, missing_strokes
from segmentation.web.store.classifiers import UnknownClassifierError

NOT_SCORED = "On an image of this size no strokes are held out."

CLEAN_UP = "The clean-up looks at the whole image: it is done when all of that is segmented."


class LargeAnswers:
    """Trains on what is drawn, and segments what is on screen.

    Args:
        large: the images.
        trainer: trains the classifiers of the sessions.
        segmentation: segments.
        scheduler: says whose turn it is to compute.
    """

    def __init__(
        self, large: LargeImages, trainer: Trainer, segmentation: LargeSegmentation, scheduler: Scheduler
    ) -> None:
        self._large, self._trainer, self._segmentation, self._scheduler = large, trainer, segmentation, scheduler

    def messages(
        self,
        session_id: str,
        tiles: TileRequest,
        training_set: TrainingSet,
        stale: Callable[[], bool],
        started: float,
    ) -> Iterator[Message]:
        """The messages after ``labelled``, see :meth:`segmentation.web.session.conversation.Conversations.answer`.

        ``stale`` is asked before each step; once it says True, no more comes. ``started`` is of ``time.perf_counter``.
        An :class:`ImageError` says in a sentence that the image cannot be read, or be looked at in depth.
        """
        state = training_set.state
        try:
            _refuse_depth(state.features, state.image["name"])
            pyramid = self._large.pyramid(session_id, state.image["hash"])
            if not missing_strokes(state, training_set.pixels_by_class):
                yield {"kind": "status", "text": "Learning from the strokes"}
            with self._scheduler.turn(session_id, ahead=True, stale=stale):
                if stale():
                    return
                trained = self._trainer.train(session_id, training_set)
            _refuse_depth(trained.classifier.spec, state.image["name"])
        except UnknownClassifierError:
            yield {"kind": "cannot", "reason": "The file of the classifier that was opened is gone: open it again."}
            return
        except ImageError:
            raise
        except ValueError as reason:
            yield {"kind": "cannot", "reason": str(reason)}
            ranges = state.forest.image_ranges
            self._segmentation.compute_ahead(
                session_id, pyramid, tiles.view, state.features, ranges=ranges, stale=stale
            )
            return
        by_name = channels_note(pyramid, trained.classifier.training_)
        yield learnt(trained, [by_name] if by_name else [])
        pixels, remark, problem = yield from self._segmentation.segment(
            session_id,
            pyramid,
            trained.classifier,
            view=tiles.view,
            known=tiles.known,
            layer=tiles.layer,
            outlines=state.outlines,
            stale=stale,
        )
        if stale():
            return
        steps = state.clean_up if tiles.clean_up is None else tiles.clean_up
        remark = " ".join([remark, *([CLEAN_UP] if steps else [])])
        counts = {str(c): int(pixels[c]) for c in state.classes}
        seconds = round(time.perf_counter() - started, 3)
        yield {"kind": "done", "pixels": counts, "seconds": seconds, "note": problem, "remark": remark}
        if tiles.scores is not None:
            yield {"kind": "scores", "scores": None, "note": NOT_SCORED}


def _refuse_depth(spec: FeatureSpec, name: str) -> None:
    if spec.looks_around:
        raise ImageError(no_stack(name))


def learnt(trained: TrainedClassifier, notes: Sequence[str] = ()) -> Message:
    """What is said of a classifier before it segments an image, with notes on it; ``calm`` ones warn of nothing."""
    told = [*trained.left_out, *notes]
    return {
        "kind": "learnt",
        "text": trained.text,
        "as_it_came": trained.unchanged,
        "images": trained.images,
        "choice": trained.choice,
        "notes": told,
        "calm": [note for note in told if isinstance(note, CalmNote)],
    }
