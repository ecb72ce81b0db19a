"""What cannot be read just now on a server is told and asked for again, and neither kept nor waited for by others."""

import io
import threading
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image as PillowImage

from segmentation.io.limits import ImageError, PassingError
from segmentation.web.application import create_app
from segmentation.web.decoding import patience
from segmentation.web.decoding.client import BUSY
from segmentation.web.session.large_images import LargeImages
from segmentation.web.session.stacks import plane_key
from segmentation.web.settings import Settings
from tests.support import PATIENCE_SECONDS
from tests.support.asking import Someone, converse, stroke_event, unpacked
from tests.support.files import png, tiff
from tests.support.images import textured
from tests.support.pyramids import write_pyramid, zipped

pytestmark = pytest.mark.slow

SHAPE = 300, 1100
VIEW = [0, 250, 900, 1100]
PATHS = {1: "M40,40L200,90", 2: "M300,200L420,260"}


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    return zipped(write_pyramid(tmp_path_factory.mktemp("large") / "a.zarr", textured(*SHAPE), chunks=256))


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    app = create_app(Settings(data_folder=tmp_path_factory.mktemp("data")))
    yield app.server.test_client()
    app.server.extensions["workbench"].store.close()


@pytest.fixture
def facts(client, session, content):
    facts = client.post(f"/s/{session}/images?name=cells.ozx", data=content).json
    strokes = [stroke_event(f"s{one}", facts["hash"], one, path) for one, path in PATHS.items()]
    converse(client, session, [{"id": "open", "type": "image.open", "image": facts}, *strokes])
    samples = client.application.extensions["workbench"].images.large._samples
    for coming in list(samples._coming.values()):
        assert coming.wait(PATIENCE_SECONDS), "what is read of it beside what is asked for"
    return facts


def stack_file(planes):
    return tiff(np.stack([textured(60, 90, seed) for seed in range(planes)]), photometric="minisblack")


@pytest.fixture
def bench(client):
    return client.application.extensions["workbench"]


class Reads:
    """Counts what the decoder reads, and lets some of it fail."""

    def __init__(self, monkeypatch, decoder, error=PassingError):
        self.count, self.fails, self.error = 0, set(), error
        for name in ("read_part", "read_coarsest", "read_image"):
            monkeypatch.setattr(decoder, name, self.noting(getattr(decoder, name)))

    def noting(self, read):
        def noted(*given, **named):
            at, self.count = self.count, self.count + 1
            if at in self.fails:
                raise self.error(BUSY)
            return read(*given, **named)

        return noted

    def begin(self, *fails):
        self.count, self.fails = 0, set(fails)


@pytest.fixture
def reads(monkeypatch, bench):
    return Reads(monkeypatch, bench.decoder)


def forgets_all(bench):
    """As another process of the server, that has read nothing yet."""
    large, live = bench.images.large, bench.live
    of_large = large._opened, large._coarse, large._facts, large._cells._kept
    of_live = live.classifiers, live.facts, live.rows.kept, live.ranges._kept
    packed = bench.conversations._large._segmentation._packed
    for cache in (*of_large, *of_live, bench.images._cache, bench.images._hashes, packed):
        cache.clear()


def asks(client, session, facts, view=VIEW):
    return converse(client, session, segment={"image": facts["hash"], "view": view, "known": {}})


def tiles_of(messages):
    return {one["index"]: unpacked(one).tobytes() for one in messages if one["kind"] == "tile"}


def test_a_segmentation_for_which_a_part_did_not_come_is_the_same_once_it_comes(client, session, facts, bench, reads):
    forgets_all(bench)
    reads.begin()
    expected = asks(client, session, facts)
    assert expected[-1]["kind"] == "done"
    assert reads.count > 1
    for at in range(reads.count):
        forgets_all(bench)
        reads.begin(at)
        told = asks(client, session, facts)
        assert (told[-1]["kind"], told[-1]["reason"]) == ("passing", BUSY), at
        assert told[-1]["seconds"] > 0
        assert "again" in told[-1]["reason"]
        reads.begin()
        messages = asks(client, session, facts)
        assert messages[-1]["pixels"] == expected[-1]["pixels"], at
        assert messages[-1]["note"] == ""
        assert tiles_of(messages) == tiles_of(expected), at


def shown(answer):
    return np.array(PillowImage.open(io.BytesIO(answer.data)).convert("RGBA"))[..., 3] > 0


def test_a_part_that_is_seen_says_when_to_ask_again_for_what_did_not_come(client, session, facts, bench, reads):
    url = f"/s/{session}/images/{facts['hash']}/view?rows=0,300&columns=0,1100&step=1"
    client.get(url)
    for error, again in ((PassingError, True), (ImageError, False)):
        forgets_all(bench)
        reads.error = error
        bench.images.large.coarsest(session, facts["hash"])
        reads.begin(0, 2, *([] if again else range(3, 7)))  # both cells together, the second alone, what is finer
        answer = client.get(url)
        assert shown(answer)[:, :1024].all()
        assert not shown(answer)[:, 1024:].any()
        assert answer.headers["Cache-Control"] == "no-store"
        assert ("Retry-After" in answer.headers) == again
        bench.images.large._cells._kept.clear()
        reads.begin(*range(99))
        answer = client.get(url)
        assert (answer.status_code, "Retry-After" in answer.headers) == ((503, True) if again else (422, False))
        assert BUSY in answer.json["error"]
        reads.begin()
        answer = client.get(url)
        assert shown(answer).all()
        assert "immutable" in answer.headers["Cache-Control"]
        assert "Retry-After" not in answer.headers


class SlowReads:
    """A decoder that waits, once it is told to, until it is let go."""

    def __init__(self, monkeypatch, decoder, name):
        self.waits, self.asked, self.goes_on = False, threading.Event(), threading.Event()
        read = getattr(decoder, name)

        def slow(*given, **named):
            if self.waits and threading.current_thread() is not threading.main_thread():
                self.asked.set()
                assert self.goes_on.wait(PATIENCE_SECONDS)
            return read(*given, **named)

        monkeypatch.setattr(decoder, name, slow)

    @contextmanager
    def while_waiting(self, ask):
        """What is answered in a thread of its own, which waits for the decoder in the ``with`` block."""
        found = []
        thread = threading.Thread(target=lambda: found.append(ask()))
        self.waits = True
        thread.start()
        assert self.asked.wait(PATIENCE_SECONDS)
        try:
            yield found
            assert thread.is_alive()
        finally:
            self.waits = False
            self.goes_on.set()
            thread.join(PATIENCE_SECONDS)


@pytest.mark.parametrize("asked", ["converse", "download"])
def test_a_slow_address_holds_no_turn_that_the_strokes_of_others_wait_for(
    client, session, facts, bench, monkeypatch, asked
):
    forgets_all(bench)
    monkeypatch.setattr(bench.scheduler, "_free", 1)
    monkeypatch.setattr(bench.scheduler, "_all", 1)
    other = Someone(client)
    image = other.open_image(textured(60, 90))
    other.draws("a", image, 1, "M5,5L30,30")
    slow, pyramid = (
        SlowReads(monkeypatch, bench.decoder, "read_part"),
        bench.images.large.pyramid(session, facts["hash"]),
    )
    pyramid.hash  # noqa: B018
    another = client.application.test_client()

    def ask():
        if asked == "converse":
            return asks(another, session, facts)[-1]["kind"]
        return another.get(f"/s/{session}/download/classifier.squiggle?image={facts['hash']}").status_code

    with slow.while_waiting(ask) as found:
        other.draws("b", image, 2, "M50,5L80,50")
        assert "done" in other.asks(image)
    assert found == ["done" if asked == "converse" else 200]
    assert bench.scheduler._free == 1


@pytest.mark.parametrize("kind", ["coarsest", "plane"])
def test_what_is_read_to_learn_from_holds_no_lock_of_the_session(client, session, facts, bench, monkeypatch, kind):
    name = "read_coarsest" if kind == "coarsest" else "read_image"
    image = facts["hash"]
    if kind == "plane":
        stack = client.post(f"/s/{session}/images?name=s.tif", data=stack_file(3)).json
        image = plane_key(stack["hash"], 2)
        opening = {"id": "open-s", "type": "image.open", "image": stack}
        converse(client, session, [opening, stroke_event("p", image, 1, "M5,5L30,30")])
    forgets_all(bench)
    slow, another = SlowReads(monkeypatch, bench.decoder, name), client.application.test_client()
    with slow.while_waiting(lambda: converse(another, session, segment={"image": image, "view": VIEW, "known": {}})):
        assert bench.journals.state(session).images
        assert converse(client, session, [stroke_event("more", facts["hash"], 1, "M5,5L9,9")])[0]["refused"] == []


def test_a_coarsest_level_that_is_larger_than_its_cache_is_decoded_once(session, facts, bench, reads):
    known = bench.images.large
    large = LargeImages(bench.store, bench.decoder, known._files, known._made, most_pixels=2**24, cache_bytes=20)
    reads.begin()
    first = large.coarsest(session, facts["hash"])
    assert first.pixels.nbytes > large._coarse.budget
    assert large.coarsest(session, facts["hash"]) is first
    assert reads.count == 1


@pytest.fixture
def hurried(monkeypatch):
    monkeypatch.setattr(patience, "PAUSES", (0.0, 0.0))


def stack_of_four(client):
    someone = Someone(client)
    stack = client.post(f"/s/{someone.session}/images?name=s.tif", data=stack_file(4)).json
    someone.does(type="image.open", image=stack)
    planes = [plane_key(stack["hash"], page) for page in range(1, 5)]
    someone.draws("a", planes[0], 1, "M5,5L30,30")
    someone.draws("b", planes[0], 2, "M50,5L80,50")
    return someone, planes


def test_a_plane_that_does_not_come_is_asked_for_again_and_never_an_empty_page(client, bench, reads, hurried):
    someone, planes = stack_of_four(client)
    url = f"/s/{someone.session}/download/planes?image={planes[0]}"
    expected = client.get(url).text
    assert expected.splitlines()[-1] == '{"notes":[]}'
    for fails, told in (((1,), None), (range(1, 99), BUSY)):
        bench.images._cache.clear()
        bench.images._in_use.clear()
        reads.begin(*fails)
        lines = client.get(url).text
        if told is None:
            assert lines == expected
        else:
            assert told in lines.splitlines()[-1]
            assert "error" in lines.splitlines()[-1]
            assert '"part"' not in lines


def test_what_planes_look_like_and_are_known_by_is_not_kept_of_some_alone(client, bench, reads):
    someone, planes = stack_of_four(client)
    images = bench.images
    expected = images.shown(someone.session, planes[1]).sample.pixels.tobytes()
    names = images.hashes(someone.session, planes[1])
    for at in (1, 2):
        for cache in (images._samples, images._hashes, images._cache):
            cache.clear()
        images._in_use.clear()
        reads.begin(at)
        with pytest.raises(PassingError):
            images.shown(someone.session, planes[1])
        reads.begin(0)
        images._cache.clear()
        with pytest.raises(PassingError):
            images.hashes(someone.session, planes[1])
        reads.begin()
        assert images.shown(someone.session, planes[1]).sample.pixels.tobytes() == expected
        assert images.hashes(someone.session, planes[1]) == names


def test_labels_are_not_taken_for_an_image_since_the_decoder_was_busy(client, session, reads):
    image = client.post(f"/s/{session}/images?name=a.png", data=png(textured(60, 90))).json
    url = f"/s/{session}/images?name=mask.png&beside={image['rows']}x{image['columns']}"
    labels = png(np.repeat(np.array([0, 1], np.uint8), 45)[None].repeat(60, axis=0))
    reads.begin(1)
    assert BUSY in client.post(url, data=labels).json["error"]
    reads.begin()
    assert client.post(url, data=labels).json == {"labels": True}
