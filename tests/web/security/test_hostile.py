"""Thousands of uploads and requests that make no sense: an answer in words to each, and nobody else notices.

The same ones in every run. What is uploaded begins as real files of every format, what is asked as real requests.
"""

import copy
import hashlib
import io
import json
import random
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage

from segmentation.io.limits import ImageError
from segmentation.io.read import read_image
from segmentation.web.application import SAMPLE, create_app
from segmentation.web.pages.callbacks import FEATURE_CONTROLS, FOREST_CONTROLS
from segmentation.web.security import hardening
from segmentation.web.settings import Settings
from segmentation.web.store.files import stack_key
from tests.support.asking import converse, stroke_event, tile_request
from tests.support.damaged import damaged

pytestmark = pytest.mark.slow

MAX_PIXELS = 300_000
RNG = np.random.default_rng(5)
DATA = Path(__file__).resolve().parents[2]

LEAKS = ("Traceback", 'File "/', "site-packages", "sqlalchemy", "sqlite3.", "Error(", "<class '")
NASTY = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, -(2**63) - 1, 10**30, 1e308, -0.0, 0.5, [], [[]], [None], [0] * 50),
    *("", " ", "x" * 70, "0" * 64, "\0", "\ud800", "\u202e", "<script>", "%s%n", "'; DROP TABLE events; --"),
    *("../../etc/passwd", "M0,0L1e999,1", {}, {"": {}}, {"id": "x"}, {"__proto__": 1}),
)


@dataclass
class House:
    """The application under attack, and a session that the attackers do not know."""

    client: object
    session: str
    bystander: str
    before: list


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AT_ONCE_OF_A_SESSION", "STARTS_AT_ONCE"):
            patch.setattr(hardening, name, 10**9)
        settings = Settings(
            data_folder=tmp_path_factory.mktemp("data"), max_pixels=MAX_PIXELS, max_upload_bytes=2_000_000
        )
        app = create_app(settings)
    client = app.server.test_client()
    session, bystander = (client.post("/sessions").json["session"] for _ in range(2))
    strokes = [
        stroke_event("a", SAMPLE.image.hash, 1, "M250,60L262,75L250,90"),
        stroke_event("b", SAMPLE.image.hash, 2, "M60,250L75,262L90,250"),
    ]
    converse(client, bystander, strokes)
    house = House(client, session, bystander, what_the_bystander_sees(client, bystander))
    yield house
    assert what_the_bystander_sees(client, bystander) == house.before
    app.server.extensions["workbench"].store.close()


def what_the_bystander_sees(client, bystander):
    """What a window is told; but for signs of life and drafts, which come or not by what the server has at hand."""
    told = converse(client, bystander, segment=tile_request(128, 128))
    messages = [message for message in told if message["kind"] not in ("status", "draft")]
    return [{key: value for key, value in message.items() if key != "seconds"} for message in messages]


def assert_decent(response, told):
    """An answer in words, without a word on the server's insides."""
    text = response.get_data().decode("utf-8", "replace")
    assert response.status_code < 500, (told, response.status_code, text[:300])
    assert not any(leak in text for leak in LEAKS), (told, text[:300])
    assert '"kind":"failed"' not in text, (told, text[:300])
    if response.status_code >= 400 and text and response.mimetype == "application/json":
        assert json.loads(text)["error"].strip(), told
    elif response.status_code >= 400:
        assert response.request.method == "HEAD" or response.mimetype == "text/html", (told, text[:300])


# ---- uploads


def picture(kind, pixels, **options):
    buffer = io.BytesIO()
    if kind == "TIFF":
        tifffile.imwrite(buffer, pixels, **options)
    else:
        PillowImage.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


GREY = RNG.integers(0, 256, (12, 17)).astype(np.uint8)
COLOUR = RNG.integers(0, 256, (12, 17, 3)).astype(np.uint8)
FILES = {
    "png": picture("PNG", COLOUR),
    "png 16 bit": picture("PNG", GREY.astype(np.uint16) * 256),
    "png palette": picture("PNG", GREY, optimize=True),
    "jpeg": picture("JPEG", COLOUR),
    "jpeg progressive": picture("JPEG", GREY, progressive=True),
    "bmp": picture("BMP", COLOUR),
    "webp": picture("WEBP", COLOUR),
    "webp lossless": picture("WEBP", COLOUR, lossless=True),
    "tiff": picture("TIFF", GREY),
    "tiff zlib": picture("TIFF", COLOUR, compression="zlib", photometric="rgb", predictor=True),
    "tiff lzw tiles": picture("TIFF", GREY.astype(np.float32), compression="lzw", tile=(16, 16)),
    "tiff pages": picture("TIFF", np.stack([GREY] * 3), photometric="minisblack"),
    "big tiff": picture("TIFF", GREY.astype(np.uint16), bigtiff=True, byteorder=">"),
}
TIFFS = {kind for kind in FILES if "tiff" in kind}
CLASSIFIER = (DATA / "golden/waves_second_channel.squiggle").read_bytes()


def what_the_library_says(content, name):
    try:
        return read_image(content, name=name, max_pixels=MAX_PIXELS).hash
    except ImageError as reason:
        return str(reason)


@pytest.mark.parametrize("kind", FILES)
def test_damaged_images_are_refused_or_read_for_what_they_are(house, kind):
    chance = random.Random(kind)
    for number in range(130):
        content = damaged(FILES[kind], chance)
        response = house.client.post(f"/s/{house.session}/images?name={kind}", data=content)
        assert_decent(response, (kind, number))
        assert response.status_code == 200
        told = what_the_library_says(content, kind)
        if "pages" in response.json:  # a stack is known by its file, and the library reads its first image
            assert response.json["hash"] == stack_key(hashlib.sha256(content).hexdigest())
            assert re.fullmatch("[0-9a-f]{64}", told)
        elif "megapixels are allowed" in told and kind in TIFFS:  # it is read part by part, or refused at that
            assert {"levels", "preparing", "error"} & {key for key, value in response.json.items() if value}
        else:
            assert told in (response.json.get("hash"), response.json.get("error"))


@pytest.mark.parametrize("kind", FILES)
def test_files_that_were_cut_off_are_refused(house, kind):
    content = FILES[kind]
    for number in range(10):
        part = content[: len(content) * number // 12]
        response = house.client.post(f"/s/{house.session}/images?name={kind}", data=part)
        assert "error" in response.json, (kind, number)


def test_what_is_no_image_is_never_one(house):
    chance = random.Random(1)
    heads = [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"BM", b"II*\0", b"MM\0*", b"II+\0", b"RIFF\0\0\0\0WEBP"]
    heads += [
        b"<svg xmlns='http://www.w3.org/2000/svg'>",
        b"GIF89a",
        b"%PDF-1.7",
        b"PK\x03\x04",
        b"\x93NUMPY",
        b"\x80\x04",
    ]
    for number in range(500):
        content = chance.choice(heads) + chance.randbytes(chance.choice((0, 1, 30, 300, 3000)))
        response = house.client.post(f"/s/{house.session}/images?name=x.png", data=content)
        assert_decent(response, number)
        assert "error" in response.json, (number, content[:40])


@pytest.mark.parametrize("kind", ["png", "jpeg", "bmp", "webp", "tiff"])
def test_an_image_that_is_also_an_archive_or_document_is_refused(house, kind):
    archive = b"PK\x03\x04" + bytes(60) + b"PK\x05\x06" + bytes(18)
    response = house.client.post(f"/s/{house.session}/images?name=x", data=FILES[kind] + archive)
    assert "at once" in response.json["error"]


def test_images_that_unfold_are_refused_before_they_do(house):
    for bomb, told in (
        (picture("PNG", np.zeros((3000, 3000), np.uint8)), "megapixels are allowed"),
        (picture("WEBP", np.zeros((3000, 3000, 3), np.uint8), lossless=True), "megapixels are allowed"),
    ):
        response = house.client.post(f"/s/{house.session}/images?name=x", data=bomb)
        assert told in response.json["error"]
    by_parts = picture("TIFF", np.zeros((5000, 5000), np.uint8), compression="zlib")
    response = house.client.post(f"/s/{house.session}/images?name=x", data=by_parts)
    assert response.json["preparing"]["name"] == "x", "it is read part by part, and never unfolds"


def test_damaged_classifiers_are_refused(house):
    chance = random.Random(2)
    for number in range(400):
        content = damaged(CLASSIFIER, chance)
        response = house.client.post(f"/s/{house.session}/classifiers?name=x.squiggle", data=content)
        assert_decent(response, number)
        assert response.status_code == 200


def test_names_are_never_paths(house):
    for name in ("../../evil", "/etc/passwd", "..\\..\\evil", "%2e%2e%2fevil", "a%00b", "\u202egnp.x", "", "x" * 5000):
        response = house.client.post(f"/s/{house.session}/images", query_string={"name": name}, data=FILES["png"])
        assert response.status_code == 200
        assert not set(response.json["name"]) & set("/\\\0\u202e")
        assert 0 < len(response.json["name"]) <= 200


# ---- requests


def twisted(value, chance):
    """A JSON value in which something is not what it was."""
    value = copy.deepcopy(value)
    for _ in range(chance.choice((1, 1, 2, 4))):
        at, key = None, None
        here = value
        while isinstance(here, dict | list) and here and chance.random() < 0.85:
            at, key = here, chance.choice(list(here) if isinstance(here, dict) else range(len(here)))
            here = at[key]
        if at is None:
            return chance.choice(NASTY)
        match chance.randrange(4):
            case 0:
                del at[key]
            case 1 if isinstance(at, dict):
                at[chance.choice(("", "extra", "id", "type", "__class__", "\0"))] = chance.choice(NASTY)
            case _:
                at[key] = chance.choice(NASTY)
    return value


def as_body(value, chance):
    """JSON, or what is nearly JSON."""
    text = json.dumps(value)
    match chance.randrange(12):
        case 0:
            text = text.replace("1", "NaN", 1)
        case 1:
            text = text[: chance.randrange(len(text) + 1)]
        case 2:
            text = "[" * 100_000 + text
        case 3:
            text = text.replace("1", "9" * 5000, 1)
        case 4:
            return damaged(text.encode() + b" ", chance)
    return text.encode()


def events():
    image = SAMPLE.image.hash
    return [
        stroke_event("s", image, 1, "M1,1L9,9"),
        {"id": "e2", "type": "stroke.erase", "image": image, "strokes": ["s"]},
        {"id": "e3", "type": "class.add", "class": {"id": 3, "name": "Third", "colour": "#123456"}},
        {"id": "e4", "type": "class.change", "class_id": 3, "name": "3rd"},
        {"id": "e5", "type": "class.remove", "class_id": 3},
        {"id": "e6", "type": "class.hide", "class_id": 1, "hidden": True},
        {"id": "e7", "type": "settings.change", "features": {"edges": True}, "forest": {"n_estimators": 10}},
        {"id": "e8", "type": "undo", "event": "e2"},
        {"id": "e9", "type": "image.open", "image": {"hash": image, "name": "x", "rows": 512, "columns": 512}},
    ]


def test_conversations_of_any_shape(house):
    chance = random.Random(3)
    for number in range(1500):
        bodies = [event | {"id": f"n{number}-{n}"} for n, event in enumerate(chance.sample(events(), 2))]
        talk = {"after": 0, "events": bodies, "window": "w", "segment": None}
        if chance.random() < 0.1:
            talk["segment"] = tile_request(40, 40)
        body = as_body(twisted(talk, chance), chance)
        response = house.client.post(
            f"/s/{house.session}/converse",
            data=body,
            content_type=chance.choice(("application/json", "application/json", "text/plain", "", "a/b; charset=x")),
        )
        assert_decent(response, (number, body[:300]))


def test_callbacks_of_any_shape(house):
    chance = random.Random(4)
    for number in range(700):
        controls, names = chance.choice(
            (
                (FEATURE_CONTROLS, ("features-checked.data", "features-problem.children")),
                (FOREST_CONTROLS, ("forest-checked.data", "forest-problem.children")),
            )
        )
        call = {
            "output": f"..{names[0]}...{names[1]}..",
            "outputs": [{"id": name.split(".")[0], "property": name.split(".")[1]} for name in names],
            "inputs": [{"id": id_, "property": property_, "value": 1} for id_, property_ in controls],
            "changedPropIds": [".".join(controls[0])],
            "state": [],
        }
        body = as_body(twisted(call, chance), chance)
        response = house.client.post("/_dash-update-component", data=body, content_type="application/json")
        assert_decent(response, (number, body[:300]))
        if response.status_code == 200:
            assert set(response.json) <= {"multi", "response", "sideUpdate"}


def test_routes_methods_queries_and_headers_of_any_shape(house):
    chance = random.Random(6)
    mine = house.client.post("/sessions").json["session"]
    rules = [rule.rule for rule in house.client.application.url_map.iter_rules()]
    pieces = (
        mine,
        "nobody",
        "..",
        "%2e%2e",
        "%00",
        "%ff",
        "a" * 3000,
        "'",
        "<b>",
        SAMPLE.image.hash,
        "0" * 64,
        " ",
    )
    values = ("", "0", "-1", "1,2", "2,1", "0,99999999999", "x", "1e9", "٣", "%00", "0,512", "1", "9" * 5000, "\ud83d")
    headers = ("Accept", "Cookie", "Content-Length", "Content-Type", "Range", "If-None-Match", "X-Forwarded-Proto")
    told = ("", "x", "gzip", "bytes=0-1", '"\\000"', 'squiggle_sessions="\\000\\377"')
    for number in range(900):
        path = chance.choice(rules)
        while "<" in path:
            start, rest = path.split("<", 1)
            path = start + chance.choice(pieces) + rest.split(">", 1)[1]
        query = "&".join(
            f"{chance.choice(('rows', 'columns', 'step', 'opacity', 'name', 'next'))}={chance.choice(values)}"
            for _ in range(chance.randrange(4))
        )
        method = chance.choice(("GET", "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "PATCH", "NONSENSE"))
        header = {chance.choice(headers): chance.choice(told)}
        try:
            response = house.client.open(
                f"{path}?{query}", method=method, headers=header, data=chance.randbytes(chance.choice((0, 5, 500)))
            )
        except UnicodeEncodeError:
            continue
        assert_decent(response, (number, method, path, query, header))
        response.close()


def test_bodies_beyond_the_limits_are_refused(house):
    large = b"x" * 3_000_000
    for path in (f"/s/{house.session}/images?name=x", "/_dash-update-component"):
        response = house.client.post(path, data=large, content_type="application/json")
        assert response.status_code == 413, path
        assert response.json["error"]
        response = house.client.post(path, input_stream=io.BytesIO(large), headers={"Transfer-Encoding": "chunked"})
        assert 400 <= response.status_code < 500 or "error" in response.json, path


def test_who_asks_too_often_is_told_to_wait_and_others_are_not(tmp_path, monkeypatch):
    monkeypatch.setattr(hardening, "AT_ONCE_OF_A_SESSION", 5)
    monkeypatch.setattr(hardening, "PER_SECOND_OF_A_SESSION", 0.01)
    app = create_app(Settings(data_folder=tmp_path))
    client = app.server.test_client()
    busy, calm = (client.post("/sessions").json["session"] for _ in range(2))
    answers = [client.get(f"/s/{busy}/download/nothing") for _ in range(8)]
    assert {answer.status_code for answer in answers[:5]} == {404}
    assert answers[-1].status_code == 429
    assert answers[-1].json["error"] == hardening.TOO_OFTEN
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert client.get(f"/s/{calm}/download/nothing").status_code == 404
    app.server.extensions["workbench"].store.close()


# ---- what is hardly HTTP
