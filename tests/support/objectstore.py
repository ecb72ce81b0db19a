"""An object store that speaks S3, on a port of this machine."""

from __future__ import annotations

import itertools
import urllib.request

from moto.server import ThreadedMotoServer

numbers = itertools.count()


class ObjectStore:
    """May be stopped and started again, and knows then what it knew."""

    def __init__(self) -> None:
        self._server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        self._server.start()
        self.port = self._server.get_host_and_port()[1]
        self.environment = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ACCESS_KEY_ID": "squiggle",
            "AWS_SECRET_ACCESS_KEY": "secret",
        }
        """What an operator sets."""

    def stop(self) -> None:
        self._server.stop()

    def start(self) -> None:
        self._server = ThreadedMotoServer("127.0.0.1", self.port, verbose=False)
        self._server.start()

    def new_bucket(self) -> str:
        """The URL of a bucket of one's own."""
        name = f"bucket{next(numbers)}"
        request = urllib.request.Request(f"{self.environment['AWS_ENDPOINT_URL']}/{name}", method="PUT")
        with urllib.request.urlopen(request):
            return f"s3://{name}/squiggle"
