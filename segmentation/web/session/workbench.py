"""What one server process has for sessions, wired up.

Everything here is a cache of what the store holds; a process that is killed loses nothing.
"""

from __future__ import annotations

import threading

from segmentation.features.cache import FeatureCache
from segmentation.features.planes_on_disk import PlanesOnDisk
from segmentation.live.segmenter import LiveSegmenter
from segmentation.web.decoding.client import Decoder
from segmentation.web.series.workers import SeriesWorkers
from segmentation.web.session.at_work import ImagesAtWork
from segmentation.web.session.classifiers import ClassifierFiles
from segmentation.web.session.conversation import Busy, Conversations
from segmentation.web.session.downloads import Downloads
from segmentation.web.session.drawn_files import DrawnFiles
from segmentation.web.session.explanations import Explanations
from segmentation.web.session.feature_advice import FeatureAdvice
from segmentation.web.session.grid_features import GridFeatures
from segmentation.web.session.images_of_server import images_of, pyramid_maker_of
from segmentation.web.session.journals import Journals
from segmentation.web.session.known_images import KnownImages
from segmentation.web.session.labels import Labels
from segmentation.web.session.margins import Margins
from segmentation.web.session.mask_scores import MaskScorer
from segmentation.web.session.next_strokes import NextStrokes
from segmentation.web.session.parts import Parts
from segmentation.web.session.sample import Sample
from segmentation.web.session.scheduler import Scheduler
from segmentation.web.session.scoring import Scorer
from segmentation.web.session.sessionfile import SessionFiles
from segmentation.web.session.sessions import Sessions
from segmentation.web.session.stack_results import StackResults
from segmentation.web.session.tile_stream import TileStream
from segmentation.web.session.training import Trainer
from segmentation.web.settings import Settings
from segmentation.web.store import Store
from segmentation.web.store.links import Links
from segmentation.web.store.presences import Presences
from segmentation.web.store.series import SeriesStore
from segmentation.web.store.wholes import WholeStore
from segmentation.web.warming import WarmUp, segment_once

TASKS_AT_ONCE = 2
"""Tasks that are computed at the same time at least; as many as there are threads, since one alone computes most
tiles."""

IMAGES_AT_WORK = 3
"""Times the cache of decoded images that those may take which are segmented at the same time."""

TASKS_PER_TURN = 16
"""Tiles of 1 megapixel: an image that has more lets other sessions compute in between."""


class Workbench:
    """What routes, and those who start the process, work with.

    Attributes:
        store: what outlives the process.
        settings: of the server.
        live: trains and segments.
        scheduler: says whose turn it is to compute.
        decoder: reads the files of strangers.
        warming: loads and compiles what the first stroke needs, so that it need not wait.
        closing: set once the process is to end; answers then end at the next tile.
        busy: says whether a browser window waits for its segmentation.
        images: of the sessions.
        pyramid_maker: makes coarser levels of large images that lack them.
        classifiers: files that were opened in sessions.
        journals: of the sessions.
        conversations: with the browser windows.
        next_strokes: says where a further stroke helps most.
        feature_advice: says which features are worth their time.
        explanations: say why a pixel has its class.
        mask_scorer: scores segmentations against masks.
        stack_results: segments whole stacks.
        downloads: files that are made from sessions.
        parts: of what is segmented.
        sessions: as a whole.
        session_files: sessions as files.
        links: of the sessions.
        series: of all sessions.
        wholes: images of sessions that are segmented in the background.
        known_images: what sessions say of their images, by the hashes of their pixels.
        series_worker: works on series and whole images while no browser window waits.
    """

    def __init__(self, store: Store, settings: Settings, sample: Sample) -> None:
        self.store, self.settings, self._sample = store, settings, sample
        on_disk = PlanesOnDisk(settings.data_folder, settings.planes_on_disk_bytes)
        cache = FeatureCache(settings.feature_cache_bytes, on_disk)
        self.live = LiveSegmenter(cache, settings.threads, sample_bytes=settings.draft_cache_bytes)
        self.scheduler = Scheduler(max(TASKS_AT_ONCE, settings.threads), TASKS_PER_TURN)
        self.decoder = Decoder(settings.decoding_bytes, places=settings.remote)
        self.warming = WarmUp(self._warm_up)
        self.closing, self.busy = threading.Event(), Busy()
        self.images = images_of(store, self.decoder, settings, self.scheduler.aside)
        self.decoder.give_way[:0] = [self.images.large.clear, cache.clear, self.live.samples.clear]
        self.pyramid_maker = pyramid_maker_of(self.images, store, settings, self.closing)
        self.classifiers = ClassifierFiles(store, settings.threads)
        self.journals = Journals(store, self.images, self.classifiers)
        labels, tiles = Labels(self.journals, settings.max_pixels), TileStream(self.live, self.scheduler)
        trainer = Trainer(self.live, self.journals, labels, self.images, self.classifiers)
        scorer = Scorer(trainer, self.scheduler)
        margins = Margins(trainer, self.scheduler, scorer)
        self.conversations = Conversations(
            self.journals,
            self.images,
            trainer,
            self.live,
            tiles,
            scorer,
            margins,
            scheduler=self.scheduler,
            busy=self.busy,
            closing=self.closing,
            presences=Presences(store),
            at_work=ImagesAtWork(IMAGES_AT_WORK * settings.image_cache_bytes),
        )
        self.mask_scorer = MaskScorer(trainer, self.live, self.decoder, self.scheduler, max_pixels=settings.max_pixels)
        grid_features = GridFeatures()
        self.next_strokes = NextStrokes(trainer, self.images, self.scheduler, grid_features)
        self.feature_advice = FeatureAdvice(trainer, self.images, self.live, self.scheduler, grid_features)
        self.explanations = Explanations(trainer, self.images, self.scheduler)
        self.links = Links(store)
        drawn = DrawnFiles(self.journals, labels, self.images)
        self.downloads = Downloads(
            self.journals, drawn, trainer, self.live, self.scheduler, margins, tiles, settings.basin_bytes
        )
        self.parts = Parts(self.downloads, self.scheduler)
        self.stack_results = StackResults(trainer, self.images, self.live, self.scheduler)
        self.sessions = Sessions(store, self.journals, sample, self.links)
        self.session_files = SessionFiles(
            store, self.journals, self.images, self.classifiers, max_image_bytes=settings.largest_upload_bytes
        )
        self.series, self.known_images = SeriesStore(store), KnownImages(self.journals, self.images)
        self.wholes = WholeStore(store)
        self.series_worker = SeriesWorkers(
            store,
            self.decoder,
            settings,
            threads=1,
            outlines=self.known_images.outlines,
            sizes=self.known_images.pixel_sizes,
            busy=self.busy,
            closing=self.closing,
        )

    def _warm_up(self) -> None:
        self.decoder.begin()
        segment_once(self.live, self._sample.image)
