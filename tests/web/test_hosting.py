"""The Procfile's lines, as a host runs them."""

import fcntl
import http.client
import io
import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import tifffile

import segmentation as seg
from segmentation._shared.tiling import TileGrid
from segmentation.strokes.stroke import Stroke
from segmentation.web.logs import without_links
from segmentation.web.session.packed_tile import PackedTile
from segmentation.web.settings import Settings
from segmentation.web.store import open_store
from segmentation.web.store.series import SeriesStore
from tests.support import PATIENCE_SECONDS, ROOT
from tests.support.events import START
from tests.support.server import PROCFILE, Server

pytestmark = pytest.mark.slow

LINE = PROCFILE["web"]
CLASSIFIER = ROOT / "tests/golden/waves_second_channel.squiggle"
STROKES = [(1, "M250,60L262,75L250,90"), (2, "M60,250L75,262L90,250")]


class LoggedServer(Server):
    """A server whose output is kept."""

    def start(self):
        self.log = self.data_folder / "log"
        with self.log.open("wb") as log:
            super().start(stdout=log)

    def events(self):
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@pytest.fixture
def server(tmp_path):
    server = LoggedServer(tmp_path)
    yield server
    if server.process and server.process.poll() is None:
        server.kill()


@contextmanager
def asking(server, method, path, body=None):
    """An answer that can be read line by line."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_SECONDS)
    headers = {"Content-Type": "application/json"} if body is not None else {}
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    try:
        with connection.getresponse() as answer:
            yield answer
    finally:
        connection.close()


def ask(server, method, path, body=None):
    with asking(server, method, path, body) as answer:
        return answer.read()


def new_session(server):
    return json.loads(ask(server, "POST", "/sessions"))["session"]


def words(events=()):
    """What a window says that wants the sample image segmented."""
    tiles = {"view": [0, 512, 0, 512], "known": {}}
    return {"after": 0, "events": list(events), "segment": tiles, "window": "w"}


def journal(server, session):
    with asking(server, "POST", f"/s/{session}/converse", words()) as answer:
        return [event["body"] for event in json.loads(answer.readline())["events"]]


def two_strokes(server, session):
    image = journal(server, session)[0]["image"]["hash"]
    return [
        {
            "id": f"e{class_id}",
            "type": "stroke.add",
            "image": image,
            "stroke": {"id": f"s{class_id}", "class_id": class_id, "kind": "path", "path": path, "width": 5},
        }
        for class_id, path in STROKES
    ]


def host(environment):
    """The environment of a host's processes."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SQUIGGLE")}
    return clean | {"PATH": path, "PORT": "0"} | environment


def run(environment, line=LINE):
    return subprocess.run(
        ["sh", "-c", line],
        cwd=ROOT,
        env=host(environment),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )


@pytest.mark.parametrize(
    ("line", "environment", "sentence"),
    [
        (LINE, {}, "nobody has said who may use it"),
        (f"{LINE} --bind 0.0.0.0:0", {"HOST": "127.0.0.1"}, "nobody has said who may use it"),
        (f"{sys.executable} app.py", {"HOST": "0.0.0.0"}, "nobody has said who may use it"),
        (LINE, {"SQUIGGLE_PASSWORD": "x", "SQUIGGLE_USER_HEADER": "y"}, "contradict each other"),
        (LINE, {"SQUIGGLE_OPEN": "1", "PORT": "eighty"}, "PORT='eighty'"),
        (LINE, {"SQUIGGLE_OPEN": "1", "WEB_CONCURRENCY": "0"}, "WEB_CONCURRENCY='0'"),
        (LINE, {"SQUIGGLE_OPEN": "1", "SQUIGGLE_DATA": "/proc/nowhere"}, "/proc/nowhere"),
    ],
)
def test_a_server_that_must_not_start_says_why(tmp_path, line, environment, sentence):
    ended = run({"SQUIGGLE_DATA": str(tmp_path)} | environment, line)
    assert ended.returncode != 0
    assert "Squiggle does not start:" in ended.stderr
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr + ended.stdout


def test_it_is_ready_and_says_so(server):
    server.start()
    assert json.loads(ask(server, "GET", "/health")) == {"alive": True}
    ready = json.loads(ask(server, "GET", "/ready"))
    assert ready["ready"] is True
    assert ready["kernels"] in ("warming", "warm")


def test_it_ends_within_ten_seconds_while_it_is_asked(server):
    """Whoever works on is ended by gunicorn after so many seconds, and whoever waits does not keep it."""
    code = "from segmentation.web import hosting; print(hosting.graceful_timeout)"
    assert int(run({"SQUIGGLE_OPEN": "1"}, f"exec {sys.executable} -c '{code}'").stdout) < 10
    server.start()
    session = new_session(server)
    with asking(server, "POST", f"/s/{session}/converse", words(two_strokes(server, session))) as answer:
        assert json.loads(answer.readline())["kind"] == "journal"
        server.process.terminate()
        assert server.process.wait(timeout=PATIENCE_SECONDS) == 0
        assert "done" not in [json.loads(line)["kind"] for line in answer.read().splitlines()]
    server.start()
    assert [event["id"] for event in journal(server, session)] == ["start", "e1", "e2"]


def test_no_stroke_waits_for_the_compiler(server, tmp_path):
    """References answer with the bytes of the kernels while there are none, and nobody notices the change to these."""
    kernels = tmp_path / "kernels"
    kernels.mkdir()
    server.environment["NUMBA_CACHE_DIR"] = str(kernels)
    with (kernels / "compiling").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as another process would that compiles
        server.start()
        session = new_session(server)
        image, *strokes = [seg.read_image(ROOT / "assets/sample/colon_glands.png"), *two_strokes(server, session)]
        assert overlay(server, session, strokes) == expected_overlay(image, strokes)
        assert json.loads(ask(server, "GET", "/ready"))["kernels"] == "warming"
        assert not list(kernels.rglob("*.nbi"))
    server.wait_until_warm()
    further = strokes[0] | {"id": "e3", "stroke": strokes[0]["stroke"] | {"id": "s3", "path": "M9,9L90,120"}}
    assert overlay(server, session, [further]) == expected_overlay(image, [*strokes, further])
    assert list(kernels.rglob("*.nbi"))


def overlay(server, session, strokes):
    """The checksums of the tiles after some strokes, one after the other, and the segmentation that is downloaded."""
    for stroke in strokes:
        messages = [
            json.loads(line) for line in ask(server, "POST", f"/s/{session}/converse", words([stroke])).splitlines()
        ]
    assert messages[-1]["kind"] == "done"
    tiff = io.BytesIO(ask(server, "GET", f"/s/{session}/download/segmentation.tif"))
    return {m["index"]: m["crc"] for m in messages if m["kind"] == "tile"}, tifffile.imread(tiff).tobytes()


def expected_overlay(image, strokes):
    """The same by kernels."""
    labels = seg.rasterise([Stroke.from_json(stroke["stroke"]) for stroke in strokes], image.shape)
    classifier = seg.PixelClassifier().fit(image, labels)
    ids = classifier.predict(image)
    packed = [
        PackedTile.pack(tile, ids[tile.rows, tile.columns], classifier.classes_) for tile in TileGrid(image.shape).tiles
    ]
    return {one.tile.index: one.checksum for one in packed}, ids.tobytes()


def test_logs_are_lines_of_json_that_lead_to_no_session(server):
    server.start()
    session = new_session(server)
    ask(server, "POST", f"/s/{session}/converse", words())
    ask(server, "GET", f"/s/{session}/download/nothing?secret=1")
    ask(server, "GET", "/s/%0a%22x")
    looking = json.loads(ask(server, "POST", f"/s/{session}/looking"))["looking"]
    ask(server, "GET", f"/s/{looking}/file")
    server.stop()
    events = server.events()
    assert session not in server.log.read_text()
    assert looking not in server.log.read_text()
    assert "secret" not in server.log.read_text()
    assert all({"time", "level", "event"} <= event.keys() for event in events)
    asked = [event for event in events if event["event"] == "request"]
    hidden = without_links(session)
    assert ("POST", f"/s/{hidden}/converse", 200) in {(e["method"], e["path"], e["status"]) for e in asked}
    seen = without_links(looking)
    assert ("GET", f"/s/{seen}/file", 200) in {(e["method"], e["path"], e["status"]) for e in asked}
    assert ("GET", f"/s/{hidden}/download/nothing", 404) in {(e["method"], e["path"], e["status"]) for e in asked}
    assert all(event["ms"] >= 0 and event["bytes"] >= 0 for event in asked)


def test_nothing_is_written_outside_the_data_and_temporary_folders(server, tmp_path):
    """In a checkout of its own: tests that run beside this one write into theirs."""
    left_alone = shutil.ignore_patterns(".*", "__pycache__", "node_modules", "build")
    server.checkout = shutil.copytree(ROOT, tmp_path / "checkout", ignore=left_alone)
    server.environment["PYTHONDONTWRITEBYTECODE"] = "1"
    before = set(server.checkout.rglob("*"))
    home = tmp_path / "home"
    home.mkdir(mode=0o500)
    server.environment["HOME"] = str(home)
    server.start()
    session = new_session(server)
    assert b'"kind":"done"' in ask(server, "POST", f"/s/{session}/converse", words(two_strokes(server, session)))
    server.stop()
    assert set(server.checkout.rglob("*")) == before
    assert not list(home.iterdir())


def test_what_is_compiled_beforehand_is_all_that_a_first_stroke_needs(tmp_path):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-m", "segmentation.web.warming"], cwd=ROOT, env=environment, check=True)
    compiled = {path.name for path in tmp_path.rglob("*.nbi")}
    stroke_and_answer = """
import segmentation as seg
image = seg.read_image("assets/sample/colon_glands.png")
strokes = [{"class_id": one, "points": [(9 * one, 9), (9 * one, 40)]} for one in (1, 2)]
seg.PixelClassifier().fit(image, seg.rasterise(strokes, image.shape)).predict(image)
"""
    subprocess.run([sys.executable, "-c", stroke_and_answer], cwd=ROOT, env=environment, check=True)
    assert compiled == {path.name for path in tmp_path.rglob("*.nbi")}


def test_the_worker_line_works_on_series_and_ends_when_it_is_asked_to(tmp_path):
    with closing(open_store(Settings(data_folder=tmp_path))) as store:
        series = SeriesStore(store)
        session = store.create_session([START])
        series_id = series.begin(session, CLASSIFIER.read_bytes())
        series.add(session, series_id, "letter.png", b"Dear colleague", max_images=1, max_bytes=2**20)
        environment = host({"SQUIGGLE_DATA": str(tmp_path), "SQUIGGLE_SERIES_IN_WEB": "0"})
        command = ["sh", "-c", f"exec {PROCFILE['worker']}"]
        with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as worker:
            try:
                while (item := series.items(session, series_id)[0]).state != "failed":
                    assert worker.poll() is None
                    time.sleep(0.1)
                worker.terminate()
                assert worker.wait(timeout=PATIENCE_SECONDS) == 0
                assert worker.stderr.read() == ""
            finally:
                worker.kill()
        assert "not an image" in item.reason
