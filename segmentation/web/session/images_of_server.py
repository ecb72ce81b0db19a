"""The images of a server, set up as its settings say."""

from __future__ import annotations

import threading
from contextlib import nullcontext

from segmentation.web.decoding.client import Decoder
from segmentation.web.session.images import Images
from segmentation.web.session.large_images import Aside
from segmentation.web.session.made_levels import MadeLevels
from segmentation.web.session.pyramid_maker import PyramidMaker
from segmentation.web.session.stackfiles import StackFiles
from segmentation.web.settings import Settings
from segmentation.web.store import Store
from segmentation.web.store.pyramids import Pyramids

STACK_FILES = 3
"""The largest stacks of which a process keeps the files on its disk at the same time."""

PYRAMIDS = "pyramids"
"""Folder of the data in which coarser levels of large images are made."""


def images_of(store: Store, decoder: Decoder, settings: Settings, aside: Aside = nullcontext) -> Images:
    """The images of a store, within what a server has room for, see :class:`Images`."""
    local_bytes = max(settings.max_upload_bytes, STACK_FILES * settings.max_stack_bytes)
    pyramids = Pyramids(store)
    return Images(
        store,
        decoder,
        StackFiles(store, local_bytes),
        MadeLevels(pyramids, decoder, StackFiles(pyramids, local_bytes), settings.data_folder / PYRAMIDS),
        max_pixels=settings.max_pixels,
        max_image_bytes=settings.max_upload_bytes,
        cache_bytes=settings.image_cache_bytes,
        aside=aside,
    )


def pyramid_maker_of(images: Images, store: Store, settings: Settings, closing: threading.Event) -> PyramidMaker:
    """What makes the coarser levels of such images, until this process is to end."""
    return PyramidMaker(Pyramids(store), store.files, images.large, settings.data_folder / PYRAMIDS, closing)
