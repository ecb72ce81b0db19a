"""What does not come this time is no damage: it is raised wherever damage is left out, and nothing of it is kept."""

import errno
from types import SimpleNamespace

import numpy as np
import pytest

from segmentation._shared.tiling import whole_window
from segmentation.features.ranges import pyramid_ranges
from segmentation.features.spec import FeatureSpec
from segmentation.io.image import image_from_pixels
from segmentation.io.limits import ImageError, PageError, PassingError, damage_reported
from segmentation.io.pyramid import Level, Pyramid
from segmentation.io.read import read_pages
from segmentation.io.tiff import TiffContents
from segmentation.io.zarr_pyramid import open_pyramid
from segmentation.model.pyramid_facts import pyramid_facts
from segmentation.series import tasks
from tests.support.files import tiff
from tests.support.images import textured
from tests.support.pyramids import write_pyramid

PIXELS = textured(128, 96)
SPEC = FeatureSpec(texture=False, edges=False, sigma_max=1)


class Disturbed:
    """An image of which one read, counted from 0, fails."""

    def __init__(self, fails_at=None, error=PassingError):
        self.fails_at, self.error, self.reads = fails_at, error, 0
        levels = (Level((128, 96)), Level((64, 48), 2))
        self.pyramid = Pyramid(name="a", levels=levels, channels=1, dtype=PIXELS.dtype, values=self.values)

    def values(self, window, level):
        at, self.reads = self.reads, self.reads + 1
        if at == self.fails_at:
            raise self.error("It did not come.")
        return PIXELS[:: 2**level, :: 2**level][window.rows, window.columns]

    shape = PIXELS.shape

    def blocks(self):
        return whole_window(PIXELS.shape).split(64, 64)

    def read(self, _place, window):
        """A part of it, as an image that is read in blocks has it."""
        return image_from_pixels(self.values(window, 0))


def taken_in_blocks(image):
    spec = FeatureSpec(standardise=True)
    forest = SimpleNamespace(n_features=spec.count(1))
    classifier = SimpleNamespace(spec_=spec, training_={}, channels_=None, forest_=forest)
    return tasks.values_taken(image, (), classifier).standards


TAKEN = {
    "hash": lambda image: image.pyramid.hash,
    "sample": lambda image: image.pyramid.sample.pixels.tobytes(),
    "standards": lambda image: [tuple(one) for one in image.pyramid.channel_standards],
    "facts": lambda image: pyramid_facts(image.pyramid),
    "ranges": lambda image: pyramid_ranges(image.pyramid, SPEC).tobytes(),
    "values in blocks": taken_in_blocks,
}


@pytest.fixture(params=[False, True], ids=["whole", "sampled"])
def large(request, monkeypatch):
    monkeypatch.setattr("segmentation.io.pyramid._STREAMED_SIDE", 64)
    monkeypatch.setattr("segmentation.io.sampling.SAMPLED_SIDE", 16)
    if request.param:
        monkeypatch.setattr("segmentation.io.sampling.LARGE_PIXELS", 1000)
    return request.param


@pytest.mark.parametrize("taken", TAKEN.values(), ids=TAKEN)
def test_what_is_taken_from_an_image_is_never_less_since_a_part_did_not_come(taken, large):
    undisturbed = Disturbed()
    expected = taken(undisturbed)
    assert undisturbed.reads > 1
    for at in range(undisturbed.reads):
        image = Disturbed(at)
        with pytest.raises(PassingError):
            taken(image)
        assert taken(image) == expected, "the next time it comes"


@pytest.mark.parametrize("name", ["sample", "standards", "facts", "ranges"])
def test_what_is_damaged_is_left_out_as_before(name, large):
    assert TAKEN[name](Disturbed(0, ImageError))


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (MemoryError(), True),
        (OSError(errno.EIO, "input/output error"), True),
        (OSError(errno.ESTALE, "stale file handle"), True),
        (OSError(errno.EMFILE, "too many open files"), True),
        (TimeoutError(), True),
        (ConnectionResetError(), True),
        (OSError("image file is truncated"), False),
        (OSError(errno.EINVAL, "negative seek"), False),
        (EOFError(), False),
        (ValueError("bad tag"), False),
    ],
    ids=repr,
)
def test_a_computer_that_is_short_of_something_is_told_from_a_file_that_is_damaged(
    error, passes, tmp_path, monkeypatch
):
    with pytest.raises(ImageError) as told, damage_reported("TIFF"):
        raise error
    assert isinstance(told.value, PassingError) == passes
    opened = open_pyramid(write_pyramid(tmp_path / "a.zarr", PIXELS))

    async def fails(*_, **__):
        raise error

    monkeypatch.setattr("zarr.storage.LocalStore.get", fails)
    with pytest.raises(ImageError) as told:
        opened.sample  # noqa: B018
    assert isinstance(told.value, PassingError) == passes
    lasting = isinstance(error, MemoryError)  # perhaps: nobody is told to try again and again
    assert ("needs smaller pieces" in str(told.value)) == lasting
    assert ("try again" in str(told.value)) == (passes and not lasting)


@pytest.mark.parametrize(("error", "told"), [(MemoryError, PassingError), (IndexError, PageError)])
def test_a_plane_that_does_not_come_is_not_left_out_of_its_stack(error, told, monkeypatch):
    planes = TiffContents.planes

    def fails(self, number, *given, **named):
        if number == 1:
            raise error
        return planes(self, number, *given, **named)

    monkeypatch.setattr(TiffContents, "planes", fails)
    content = tiff(np.stack([PIXELS, PIXELS, PIXELS]), photometric="minisblack")
    if told is PassingError:
        with pytest.raises(PassingError):
            list(read_pages(content))
    else:
        assert [type(one) for one in read_pages(content)][1] is PageError
