"""Names of the files that say what a Zarr array or group is."""

MARKS = ("zarr.json", ".zarray", ".zgroup")
"""Where one of these lies, there is an array or a group."""

METADATA = (*MARKS, ".zattrs", ".zmetadata")
"""All of them."""
