"""Small files as microscopes and clinics write them, made by whoever can write them, or by hand where nobody can."""

import gzip
import io
import json
import struct

import numpy as np

LIF_SERIES = """<Element Name="Series"><Data><Image><ImageDescription><Channels>{channels}</Channels>
<Dimensions>{dimensions}</Dimensions></ImageDescription></Image></Data>
<Memory Size="{size}" MemoryBlockID="MemBlock_1"/></Element>"""
LIF_HEADER = """<LMSDataContainerHeader Version="2"><Element Name="Project">
<Memory Size="0" MemoryBlockID="MemBlock_0"/><Children>{series}</Children></Element></LMSDataContainerHeader>"""


def hdf5_bytes(arrays, compression="gzip"):
    """An HDF5 file of arrays by their names, each with its axes (as ilastik has them) or None, and perhaps a scale."""
    import h5py

    file = io.BytesIO()
    with h5py.File(file, "w") as opened:
        for name, (pixels, axes, scale) in arrays.items():
            array = opened.create_dataset(name, data=pixels, compression=compression)
            if axes:
                tags = [{"key": key, "typeFlags": 2, "resolution": 0, "description": ""} for key in axes]
                array.attrs["axistags"] = json.dumps({"axes": tags})
            if scale:
                array.attrs["element_size_um"] = scale
    return file.getvalue()


def nifti_bytes(volume, sizes, slope=None, inter=None, packed=False):
    """A NIfTI file of a volume ``(x, y, z...)`` whose voxels have sizes in millimetres."""
    import nibabel

    image = nibabel.Nifti1Image(volume, np.eye(4))
    image.header.set_zooms(sizes)
    image.header.set_xyzt_units("mm", "sec")
    if slope is not None:
        image.header.set_slope_inter(slope, inter)
    content = image.to_bytes()
    if slope is not None:  # nibabel would scale the values when it writes
        content = content[:112] + struct.pack("<ff", slope, inter) + content[120:352] + volume.tobytes(order="F")
    return gzip.compress(content) if packed else content


def dicom_bytes(frames, syntax="1.2.840.10008.1.2.1", encoded=None, **about):
    """A DICOM file of frames ``(frames, rows, columns[, 3])``, perhaps encoded ones, and of what else it says."""
    import pydicom
    from pydicom.encaps import encapsulate
    from pydicom.uid import SecondaryCaptureImageStorage, generate_uid

    dataset = pydicom.Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = generate_uid(entropy_srcs=["squiggle"])
    bits = 8 * frames.dtype.itemsize
    dataset.Rows, dataset.Columns = frames.shape[1:3]
    dataset.NumberOfFrames = len(frames)
    dataset.SamplesPerPixel = 3 if frames.ndim == 4 else 1
    dataset.PhotometricInterpretation = "RGB" if frames.ndim == 4 else "MONOCHROME2"
    if frames.ndim == 4:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits, bits, bits - 1
    dataset.PixelRepresentation = int(frames.dtype.kind == "i")
    for name, value in about.items():
        setattr(dataset, name, value)
    dataset.PixelData = encapsulate(encoded) if encoded else frames.tobytes()
    file = io.BytesIO()
    pydicom.dcmwrite(file, dataset, enforce_file_format=True)
    return file.getvalue()


def lif_bytes(stack, micrometres, names):
    """A LIF file of one series: planes ``(z, channels, rows, columns)``, whose voxels have sizes along z, y and x."""
    planes, channels, rows, columns = stack.shape
    item = stack.dtype.itemsize
    told = "".join(
        f'<ChannelDescription DataType="0" ChannelTag="0" Resolution="{8 * item}" NameOfMeasuredQuantity="" Min="0" '
        f'Max="1" Unit="" LUTName="{name}" IsLUTInverted="0" BytesInc="{number * rows * columns * item}" BitInc="0"/>'
        for number, name in enumerate(names)
    )
    steps = (columns, item), (rows, columns * item), (planes, channels * rows * columns * item)
    axes = "".join(
        f'<DimensionDescription DimID="{number}" NumberOfElements="{length}" Origin="0" '
        f'Length="{(length - 1) * step * 1e-6}" Unit="m" BytesInc="{inc}" BitInc="0"/>'
        for number, ((length, inc), step) in enumerate(zip(steps, reversed(micrometres), strict=True), start=1)
    )
    series = LIF_SERIES.format(channels=told, dimensions=axes, size=stack.nbytes)
    header = LIF_HEADER.format(series=series)
    blocks = b"".join(_lif_block(name, data) for name, data in (("MemBlock_0", b""), ("MemBlock_1", stack.tobytes())))
    text = header.encode("utf-16-le")
    return struct.pack("<IIBI", 0x70, len(text) + 5, 0x2A, len(header)) + text + blocks


def _lif_block(name, data):
    text = name.encode("utf-16-le")
    return struct.pack("<IIBQBI", 0x70, len(text) + 14, 0x2A, len(data), 0x2A, len(name)) + text + data


def nd2_bytes(frames, micrometres, names):
    """An ND2 file of planes ``(z, rows, columns, channels)`` of uint16, of a width and a distance of pixels."""
    planes, rows, columns, channels = frames.shape
    attributes = {
        "uiWidth": columns, "uiWidthBytes": 2 * columns * channels, "uiHeight": rows, "uiComp": channels,
        "uiBpcInMemory": 16, "uiBpcSignificant": 12, "uiSequenceCount": planes, "eCompression": 2,
    }  # fmt: skip
    channel = {
        f"a{number}": {"sDescription": name, "uiCompCount": 1, "pFluorescentProbe": {"m_sName": name}}
        for number, name in enumerate(names)
    }
    picture = {
        "bCalibrated": True,
        "dCalibration": float(micrometres[0]),
        "sPicturePlanes": {"uiCount": channels, "sPlaneNew": channel},
    }
    loop = {"eType": 4, "uLoopPars": {"uiCount": planes, "dZStep": float(micrometres[1]), "iType": 0}}
    chunks = {
        b"ImageAttributesLV!": _clx({"SLxImageAttributes": attributes}),
        b"ImageMetadataSeqLV|0!": _clx({"SLxPictureMetadata": picture}),
        b"ImageMetadataLV!": _clx({"SLxExperiment": loop}),
    } | {b"ImageDataSeq|%d!" % number: bytes(8) + frame.tobytes() for number, frame in enumerate(frames)}
    content = _nd2_chunk(b"ND2 FILE SIGNATURE CHUNK NAME01!", b"Ver3.0".ljust(64, b"\0"), 32)
    chunk_map = b""
    for name, data in chunks.items():
        chunk_map += name + struct.pack("<QQ", len(content), len(data))
        content += _nd2_chunk(name, data, 4072 if name.startswith(b"ImageDataSeq") else 48)
    end = b"ND2 CHUNK MAP SIGNATURE 0000001!"
    place = len(content)
    content += _nd2_chunk(b"ND2 FILEMAP SIGNATURE NAME 0001!", chunk_map + end + struct.pack("<Q", place), 32)
    return content + end + struct.pack("<Q", place)


def _nd2_chunk(name, data, name_length):
    return struct.pack("<IIQ", 0x0ABECEDA, name_length, len(data)) + name.ljust(name_length, b"\0") + data


def _clx(values):
    """Values as ND2 stores them: kind, length of the name, name, value."""
    return b"".join(_clx_item(name, value) for name, value in values.items())


def _clx_item(name, value):
    text = (name + "\0").encode("utf-16-le")
    head = bytes([len(name) + 1]) + text
    match value:
        case bool():
            return b"\1" + head + bytes([value])
        case int():
            return b"\3" + head + struct.pack("<I", value)
        case float():
            return b"\6" + head + struct.pack("<d", value)
        case str():
            return b"\x08" + head + (value + "\0").encode("utf-16-le")
    inside = _clx(value)
    length = 1 + len(head) + 12 + len(inside)
    return b"\x0b" + head + struct.pack("<IQ", len(value), length) + inside + bytes(8 * len(value))
