"""What the processes that read strangers' images know of the environment of the server."""

from __future__ import annotations

import os

INHERITED = ("PATH", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
"""Variables that the decoders need; passwords and addresses of databases are not among them."""

OF_ADDRESSES = (
    "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CA_BUNDLE",
    "SSL_CERT_FILE", "SSL_CERT_DIR",
)  # fmt: skip
"""The same where addresses are opened: where S3 lies, and whom to trust, but not what the server's own keys are."""

ON_PURPOSE = "SQUIGGLE_REMOTE_AWS_"
"""What the names of variables begin with that give the decoders a key to buckets: without it they are anybody."""

ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}

ONE_ARENA = {"MALLOC_ARENA_MAX": "1"}
"""Each thread's arena would reserve 64 MB of the addresses that a decoder may have, used or not."""


def environment_of_decoders(addresses: bool) -> dict[str, str]:
    """The variables that the decoders get.

    Args:
        addresses: whether images at addresses are opened.
    """
    names = INHERITED + (OF_ADDRESSES if addresses else ())
    found = {name: os.environ[name] for name in names if name in os.environ}
    if addresses:
        found |= {"AWS_EC2_METADATA_DISABLED": "true"} | {
            name.removeprefix("SQUIGGLE_REMOTE_"): value
            for name, value in os.environ.items()
            if name.startswith(ON_PURPOSE)
        }
    return found | ONE_THREAD | ONE_ARENA
