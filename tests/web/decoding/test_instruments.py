"""Files of microscopes and clinics are read apart as here, and what they unfold into is bounded."""

import gzip
import io
import struct
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest

from segmentation.io.limits import ImageError
from segmentation.io.read import read_stack
from segmentation.web.decoding.client import Decoder
from tests.support.instrument_files import dicom_bytes, hdf5_bytes, lif_bytes, nd2_bytes, nifti_bytes

pytestmark = pytest.mark.slow

MAX_PIXELS = 4_000_000
STACK = np.random.default_rng(3).integers(0, 4000, (3, 9, 13, 2), dtype=np.uint16)
GREY = STACK[..., 0]
FILES = {
    "hdf5": hdf5_bytes({"exported_data": (STACK, "zyxc", None)}),
    "nifti": nifti_bytes(np.ascontiguousarray(GREY.T), (0.5, 0.75, 2), packed=True),
    "dicom": dicom_bytes(GREY),
    "lif": lif_bytes(np.ascontiguousarray(STACK.transpose(0, 3, 1, 2)), (2.0, 0.75, 0.5), ["Green", "Red"]),
    "nd2": nd2_bytes(STACK, (0.5, 2.0), ["DAPI", "GFP"]),
    "czi": Path("tests/data/two_channels.czi").read_bytes(),
}


@pytest.fixture(scope="module")
def decoder():
    return Decoder()


@pytest.mark.parametrize("kind", FILES)
def test_a_plane_read_apart_is_the_plane(decoder, kind):
    apart = decoder.read_image(FILES[kind], name=f"a.{kind}", max_pixels=MAX_PIXELS, page=2)
    here = next(read_stack(FILES[kind], name=f"a.{kind}", max_pixels=MAX_PIXELS, first=2))
    assert apart.hash == here.hash
    assert apart.metadata == here.metadata


def test_a_file_that_unfolds_ends_its_decoder_and_is_a_sentence(decoder):
    """A chunk of HDF5, 64 kB on paper, that unfolds into 600 MB; and a volume that begins behind a terabyte."""
    file = io.BytesIO()
    with h5py.File(file, "w") as opened:
        array = opened.create_dataset("image", (256, 256), "u1", chunks=(256, 256), compression="gzip")
        array.id.write_direct_chunk((0, 0), zlib.compress(bytes(600 * 2**20)))
    whole = gzip.decompress(FILES["nifti"])
    far = gzip.compress(whole[:108] + struct.pack("<f", 2.0**40) + whole[112:])
    small = Decoder(memory_bytes=2**28, seconds=5)
    for content in (file.getvalue(), far):
        with pytest.raises(ImageError, match=r"\.$"):
            small.read_image(content, max_pixels=MAX_PIXELS)
    assert small.read_image(FILES["hdf5"], max_pixels=MAX_PIXELS).shape == (9, 13)
