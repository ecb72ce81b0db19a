"""What is hardly HTTP leaves the workers alive."""

import random
import socket

import pytest

from tests.support import PATIENCE_SECONDS
from tests.support.damaged import damaged
from tests.support.server import Server


@pytest.mark.slow
def test_whatever_comes_through_the_socket_leaves_the_workers_alive(tmp_path):
    server = Server(tmp_path)
    server.start()
    try:
        workers = server.workers()
        chance = random.Random(7)
        head = b"POST /s/nobody/converse HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        request = head + b"Content-Length: 20\r\n\r\n{}"
        for number in range(300):
            with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_SECONDS) as connection:
                connection.sendall(damaged(request, chance) if number % 3 else chance.randbytes(200) + b"\r\n\r\n")
                connection.shutdown(socket.SHUT_WR)
                answer = b""
                while part := connection.recv(65536):
                    answer += part
            assert b"Traceback" not in answer
        assert server.workers() == workers
    finally:
        server.stop()
