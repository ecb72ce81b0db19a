"""Makes the coarser levels of large images whose files lack them, one image at a time, by turns, in the background.

The files are read in processes apart, part by part; here there are only pixels. What was begun lies in a folder of this
machine, so that a server that was killed goes on with it; another machine begins anew, to the same bytes.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

from segmentation._shared.full_disk import is_full
from segmentation.features.planes_on_disk import LEFT_FREE
from segmentation.io.coarser_levels import MakingStopped
from segmentation.io.limits import ImageError, PassingError, may_pass
from segmentation.web.decoding.client import CutShortError
from segmentation.web.decoding.patience import patiently
from segmentation.web.session.large_images import LargeImages
from segmentation.web.session.made_levels import free_bytes
from segmentation.web.store import DiskFullError, StoreAwayError, StoreFullError, UnknownImageError, UnknownSessionError
from segmentation.web.store.files import Files
from segmentation.web.store.holding import ClaimHolder
from segmentation.web.store.pyramids import Claim, Pyramids

NICENESS = 10
TRIES = 3
"""Of a part that did not come, before the image is left for a while."""

TURN_SECONDS = 30.0
"""After which others come first that wait, so that a small image does not wait for all of a large one."""

PAUSE_SECONDS = 1.0
NOTHING_READ = "Nothing of this image can be read: its file is damaged or incomplete. Copy it again."

FULL, GOES_ON = "The disk of the server is full.", "It goes on once there is room."
CANNOT_WRITE = "What is needed to view this image cannot be written on this server: ask whoever runs it."

Read = TypeVar("Read")

log = logging.getLogger(__name__)


class PyramidMaker:
    """Works on what :class:`Pyramids` says is wanted.

    Args:
        pyramids: of all sessions.
        files: of the sessions.
        large: the images.
        folder: of this machine, in which levels are made.
        closing: set once this process is to end.
    """

    def __init__(
        self, pyramids: Pyramids, files: Files, large: LargeImages, folder: Path, closing: threading.Event
    ) -> None:
        self._pyramids, self._files, self._large, self._folder = pyramids, files, large, folder
        self._closing = closing
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._holder = ClaimHolder("pyramids")
        self._part = 0.0

    def notice(self) -> None:
        """Work in a thread of this process, if it does not yet: there may be something to do."""
        with self._lock:
            if self._thread is None and not self._closing.is_set():
                self._thread = threading.Thread(target=self._work, name="pyramids", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        """Work until nothing is left that nobody else makes."""
        if sys.platform == "linux":
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        try:
            self._tidy()
            while not self._closing.is_set() and self.work_on_one():
                pass
        except StoreAwayError as problem:
            log.warning("the levels of large images wait for the store: %s", problem)
        except Exception:
            log.exception("the levels of large images could not be made")
        finally:
            with self._lock:
                self._thread = None

    def work_on_one(self) -> bool:
        """Make the levels of the next image, or some of them, if others wait; False if there is none."""
        claim = self._pyramids.claim()
        if claim is None:
            return False
        self._part = 0.0

        def heartbeat() -> bool:
            return self._pyramids.heartbeat(claim, self._part)

        with self._holder.holding(heartbeat, TURN_SECONDS, self._pyramids.others_wait):
            self._make(claim)
        return True

    def _make(self, claim: Claim) -> None:
        from segmentation.io.pyramid_making import hold_data, make_levels

        begun = time.monotonic()
        try:
            if self._pyramids.copied(claim):
                return
            source = self._tried(lambda: self._large.unreduced(claim.session_id, claim.hash))
            patient = replace(source, read=lambda window: self._tried(lambda: source.read(window)))
            made = make_levels(patient, self._folder / claim.hash, on_progress=self._note, stopped=self._stopped)
            if not hold_data(made):
                raise ImageError(NOTHING_READ)
            self._keep(claim, made)
            log.info("levels of an image made", extra={"fields": {"seconds": round(time.monotonic() - begun, 3)}})
        except MakingStopped:
            if self._holder.lost.is_set():
                self._tidy()
            elif self._closing.is_set():
                self._pyramids.release(claim)
            else:
                self._pyramids.give_way(claim)
        except (UnknownImageError, UnknownSessionError):
            self._tidy()
        except (PassingError, StoreAwayError) as problem:
            self._postpone(claim, problem)
        except StoreFullError as problem:
            why = FULL if isinstance(problem, DiskFullError) else problem
            self._postpone(claim, problem, hindrance=f"{why} {GOES_ON}")
        except ImageError as problem:
            self._give_up(claim, str(problem))
        except OSError as problem:
            if is_full(problem):
                self._postpone(claim, problem, hindrance=f"{FULL} {GOES_ON}")
            elif may_pass(problem) or isinstance(problem, FileNotFoundError):  # by who lost the claim, and finished
                self._postpone(claim, problem)
            else:
                log.warning("the levels of an image could not be written: %s", problem)
                self._give_up(claim, CANNOT_WRITE)
        except RuntimeError:
            if not self._closing.is_set():
                raise
            self._pyramids.release(claim)  # threads are refused while a process ends

    def _tried(self, read: Callable[[], Read]) -> Read:
        """What is read; what does not come, or takes too much, is tried again some times."""
        pauses = (PAUSE_SECONDS,) * (TRIES - 1)
        return patiently(read, self._rest, pauses=pauses, passing=(PassingError, StoreAwayError))

    def _rest(self, seconds: float) -> None:
        if self._stopped():
            raise MakingStopped
        time.sleep(seconds)

    def _stopped(self) -> bool:
        return any(event.is_set() for event in (self._closing, self._holder.lost, self._holder.turn_ended))

    def _note(self, part: float) -> None:
        self._part = part
        if free_bytes(self._folder) < LEFT_FREE:
            raise DiskFullError

    def _keep(self, claim: Claim, made: Path) -> None:
        """Let the store have what was made, as one file."""
        from segmentation.io.pyramid_making import pack_levels

        size = sum(path.stat().st_size for path in made.rglob("*") if path.is_file())
        incoming = self._files.blobs.incoming(size)
        with incoming if incoming is not None else cast(BinaryIO, tempfile.TemporaryFile(dir=self._folder)) as file:
            pack_levels(made, file)
            file.truncate()
            self._pyramids.finish(claim, file)
        shutil.rmtree(made, ignore_errors=True)

    def _postpone(self, claim: Claim, problem: Exception, *, hindrance: str = "") -> None:
        """Leave an image for a while; of what took too much, the store counts how often that has got nowhere.

        A store that is away, or full, is waited for: else the claim would count as one of a server that has died.
        """
        log.warning("the levels of an image are left for a while: %s", problem)
        reason = str(problem) if isinstance(problem, CutShortError) else ""
        while True:
            try:
                if self._closing.is_set():
                    self._pyramids.release(claim)
                else:
                    self._pyramids.postpone(claim, reason, hindrance=hindrance)
                    self._tidy()
                return
            except (StoreAwayError, StoreFullError):
                if self._closing.wait(PAUSE_SECONDS):
                    return

    def _give_up(self, claim: Claim, reason: str) -> None:
        self._pyramids.fail(claim, reason)
        self._tidy()

    def _tidy(self) -> None:
        """Remove what was begun for images of which nobody wants it any more."""
        names = [path.name for path in self._folder.glob("*")] if self._folder.is_dir() else []
        wanted = self._pyramids.unfinished() if names else set()
        for name in names:
            if name.partition(".")[0] not in wanted:
                shutil.rmtree(self._folder / name, ignore_errors=True)
