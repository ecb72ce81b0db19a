"""Zarr stores at an address, read through fsspec without copying them: by https and from S3.

What a server answers is bounded before it is kept: its length, its kind, its time. Redirects are not followed. What is
wrong with an answer is a sentence, whoever asks for it.
"""

from __future__ import annotations

import asyncio
import math
import os
import socket
import time
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp.resolver import ThreadedResolver
from fsspec.implementations.http import HTTPFileSystem
from zarr.abc.store import ByteRequest, OffsetByteRequest, RangeByteRequest, SuffixByteRequest
from zarr.storage import FsspecStore, LocalStore

from segmentation.io.addresses import Address, is_public
from segmentation.io.limits import MAX_METADATA_BYTES, ImageError, PassingError
from segmentation.io.zarr_documents import METADATA

if TYPE_CHECKING:
    from zarr.core.buffer import Buffer, BufferPrototype

MAX_ANSWER_BYTES = 2**28
"""Of a chunk, or of the part of one that is asked for."""

SECONDS = 20.0
"""For one answer, from asking to its last byte."""

REQUESTS_A_SECOND = 100
ATTEMPTS = 3
"""How often is asked for what broke off, or what the server failed at."""

_CREDENTIALS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)

Fetch = Callable[[str, str | None], Awaitable[bytes]]
"""Gets what lies at a path, or the range of it that a header names; FileNotFoundError if there is nothing."""


class _AgainError(Exception):
    """An answer that may be another one the next time; its text is a sentence."""


class _HostError(OSError):
    """A host that is not asked; its text is a sentence."""


class RemoteStore(FsspecStore):
    """A store that asks a server for what lies below an address, and only for that.

    Args:
        fs: gets it.
        path: what the file system calls the address.
        fetch: gets what lies at a path.
    """

    supports_listing = False
    supports_writes = False
    supports_deletes = False

    def __init__(self, fs: Any, path: str, fetch: Fetch) -> None:
        super().__init__(fs, read_only=True, path=path)
        self._fetch = fetch
        self._next = 0.0
        self._ends = math.inf

    def end_by(self, moment: float) -> None:
        """Wait for nothing beyond a moment of ``time.monotonic``."""
        self._ends = moment

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        """What lies at a key, or a part of it; None if there is nothing.

        Raises:
            PassingError: with a sentence, if the server does not answer, breaks off or fails, or is too slow.
            ImageError: with a sentence, if it does not answer as it should.
        """
        if not self._is_open:
            await self._open()
        path = f"{self.path.rstrip('/')}/{key}"
        for attempt in range(1, ATTEMPTS + 1):
            seconds = min(SECONDS, self._ends - time.monotonic())
            try:
                async with asyncio.timeout(seconds):
                    await self._wait_for_turn()
                    return prototype.buffer.from_bytes(await self._fetch(path, _range(byte_range)))
            except FileNotFoundError:
                return None
            except _AgainError as error:
                if attempt == ATTEMPTS:
                    raise PassingError(f"{error} Try again in a moment.") from error
            except TimeoutError as error:
                if seconds < SECONDS:
                    raise PassingError(
                        "The address answers too slowly: not all of it came in time. Try again in a moment."
                    ) from error
                raise PassingError(
                    f"The address does not answer within {SECONDS:.0f} seconds: try again in a moment."
                ) from error
            await asyncio.sleep(0.2 * attempt)
        return None

    async def _wait_for_turn(self) -> None:
        now = time.monotonic()
        turn = max(now, self._next)
        self._next = turn + 1 / REQUESTS_A_SECOND
        await asyncio.sleep(turn - now)

    def list(self) -> AsyncIterator[str]:
        """Nothing: what there is follows from the metadata."""
        return _nothing()

    def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Nothing, as :meth:`list`."""
        return _nothing()

    def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Nothing, as :meth:`list`."""
        return _nothing()


async def _nothing() -> AsyncIterator[str]:
    names: tuple[str, ...] = ()
    for name in names:
        yield name


def _range(asked: ByteRequest | None) -> str | None:
    match asked:
        case RangeByteRequest():
            return f"bytes={asked.start}-{asked.end - 1}"
        case OffsetByteRequest():
            return f"bytes={asked.offset}-"
        case SuffixByteRequest():
            return f"bytes=-{asked.suffix}"
    return None


def _limit(path: str) -> int:
    return MAX_METADATA_BYTES if path.rpartition("/")[2] in METADATA else MAX_ANSWER_BYTES


def remote_store(address: Address, private: bool) -> RemoteStore:
    """The store at an address.

    Args:
        address: of it.
        private: whether its host may be one that not everybody on the internet reaches.

    Raises:
        ImageError: if what reads S3 is not installed.
    """
    if address.scheme == "s3":
        return _s3_store(address)
    fs = _Http(private)
    return RemoteStore(fs, address.url.rstrip("/"), fs.fetch)


class _Public(ThreadedResolver):
    """Finds hosts at public addresses only; what is found is what is connected to."""

    async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_INET) -> Any:
        found = await super().resolve(host, port, family)
        if not all(is_public(one["host"]) for one in found):
            raise _HostError("The address leads to a private network, which this server does not ask.")
        return found


class _Http(HTTPFileSystem):  # type: ignore[misc]
    """Asks for one thing at a time, and takes no more of an answer than is allowed."""

    cachable = False

    def __init__(self, private: bool) -> None:
        super().__init__(asynchronous=True, get_client=partial(_client, private))

    async def set_session(self) -> aiohttp.ClientSession:
        """The connections to the server, which end with this."""
        if self._session is None:
            session: aiohttp.ClientSession = await super().set_session()
            weakref.finalize(self, self.close_session, asyncio.get_running_loop(), session)
        return self._session

    async def fetch(self, path: str, part: str | None) -> bytes:
        """See :data:`Fetch`."""
        session = await self.set_session()
        headers = {"Accept-Encoding": "identity"} | ({"Range": part} if part else {})
        try:
            async with session.get(self.encode_url(path), headers=headers, allow_redirects=False) as response:
                _check_answer(response, path)
                return await _body(response, path, part)
        except (aiohttp.ClientError, ConnectionError) as error:
            told = getattr(error, "os_error", None)
            if isinstance(told, _HostError):
                raise ImageError(str(told)) from error
            raise _AgainError("The address does not answer, or breaks off in the middle of an answer.") from error


async def _client(private: bool, **options: Any) -> aiohttp.ClientSession:
    resolver = ThreadedResolver() if private else _Public()
    connector = aiohttp.TCPConnector(resolver=resolver, limit=8)
    return aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=SECONDS, sock_read=SECONDS),
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
    )


def _check_answer(response: aiohttp.ClientResponse, path: str) -> None:
    """Refuse what is no answer to what was asked.

    Raises:
        FileNotFoundError: if there is nothing.
        ImageError: with a sentence, if it is something else.
        _AgainError: if the server has failed at it.
    """
    status = response.status
    # Object stores that do not let strangers list them say so where there is nothing, also of metadata.
    if status in (404, 410) or (status == 403 and path.rpartition("/")[2] in METADATA):
        raise FileNotFoundError(path)
    if 300 <= status < 400:
        raise ImageError("The address leads elsewhere, which is not followed: give the address that it leads to.")
    if status in (401, 403):
        raise ImageError("The address is not open to everybody: it asks who one is.")
    if status >= 500 or status == 429:
        raise _AgainError(f"The server at the address fails (it answers {status}).")
    if status not in (200, 206):
        raise ImageError(f"The server at the address answers {status} instead of the image.")
    if response.content_type == "text/html":
        raise ImageError("At the address there is a web page, and not a Zarr image.")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise ImageError("The server at the address compresses its answers, though it is asked not to.")
    if (response.content_length or 0) > _limit(path):
        raise ImageError(f"A part of the image at the address has more than {_limit(path) / 2**20:.0f} MB.")


async def _body(response: aiohttp.ClientResponse, path: str, part: str | None) -> bytes:
    taken = bytearray()
    async for piece in response.content.iter_chunked(2**16):
        taken += piece
        if len(taken) > _limit(path):
            raise ImageError(f"A part of the image at the address has more than {_limit(path) / 2**20:.0f} MB.")
    if part and response.status == 200:
        raise ImageError("The server at the address does not send parts of a file, which this image needs.")
    return bytes(taken)


def _s3_store(address: Address) -> RemoteStore:
    """A store in S3, or what speaks as it does: with the credentials of this process, or as anybody if it has none."""
    try:
        from botocore.exceptions import BotoCoreError, ClientError
        from s3fs import S3FileSystem
    except ModuleNotFoundError as error:
        raise ImageError("What reads S3 is not installed here: pip install squiggle[remote].") from error
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    fs = S3FileSystem(
        anon=not any(os.environ.get(name) for name in _CREDENTIALS),
        endpoint_url=endpoint or None,
        config_kwargs={"connect_timeout": SECONDS, "read_timeout": SECONDS, "retries": {"max_attempts": 1}},
        asynchronous=True,
        skip_instance_cache=True,
    )

    async def fetch(path: str, part: str | None) -> bytes:
        bucket, _, key = path.partition("/")
        try:
            answer = await fs._call_s3("get_object", Bucket=bucket, Key=key, **({"Range": part} if part else {}))
            async with answer["Body"] as body:
                if answer["ContentLength"] > _limit(path):
                    raise ImageError(f"A part of the image at the address has more than {_limit(path) / 2**20:.0f} MB.")
                return bytes(await body.read())
        except PermissionError as error:
            if path.rpartition("/")[2] in METADATA:
                raise FileNotFoundError(path) from error
            raise ImageError("The bucket is not open to this server.") from error
        except FileNotFoundError:
            raise
        except (OSError, BotoCoreError, ClientError, aiohttp.ClientError) as error:
            raise _AgainError("The object store does not answer as it should.") from error

    return RemoteStore(fs, "/".join([address.host, *address.parts]), fetch)


class _Folder(LocalStore):
    """A folder of this server out of which nothing leads, by whatever links."""

    async def get(
        self, key: str, prototype: BufferPrototype | None = None, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """What lies at a key, or a part of it; None if there is nothing, or it lies elsewhere."""
        if not (self.root / key).resolve().is_relative_to(self.root.resolve()):
            return None
        return await super().get(key, prototype, byte_range)


def folder_store(folder: Path) -> LocalStore:
    """The store in a folder of this server."""
    return _Folder(folder, read_only=True)
