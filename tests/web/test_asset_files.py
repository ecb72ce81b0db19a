"""The page's files: which of them the pages name, and that browsers keep them without ever mixing two versions."""

import json
import re

from plotly.utils import PlotlyJSONEncoder

from segmentation.io.addresses import Places
from segmentation.io.zipped_zarr import ZIPPED_ZARR
from segmentation.series.inputs import READ_SUFFIXES
from segmentation.web import asset_files
from segmentation.web.asset_files import FOLDER, URL_PATH
from segmentation.web.pages.layout.address import address_dialog

SCRIPT = re.compile(r"<script\b([^>]*)>(.*?)</script>", re.DOTALL)
ASKED_FOR = re.compile(r'byId\(\s*"([\w-]+)"|"(panel-[\w-]+)"')
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
PRELOAD = re.compile(r'<link rel="modulepreload" href="([^"]+)">')
FILES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.*") if path.is_file())


def scripts_of(page):
    """The addresses of the scripts, and whether they are modules; what stands in the page itself is only data."""
    for attributes, content in SCRIPT.findall(COMMENT.sub("", page)):
        source = re.search(r'src="([^"?]+)', attributes)
        if source:
            yield source[1], 'type="module"' in attributes
        else:
            assert not content.strip() or 'type="application/json"' in attributes


def test_browsers_keep_each_file_for_a_year(client):
    for name in FILES:
        with client.get(f"{URL_PATH}/{name}") as answer:
            assert answer.status_code == 200
            assert answer.data == (FOLDER / name).read_bytes()
            assert answer.cache_control.max_age == 365 * 24 * 3600
            assert not answer.cache_control.no_cache
            assert (answer.mimetype == "text/javascript") == name.endswith("js")


def test_files_of_another_version_are_not_there(client):
    for address in ("/assets/start.mjs", "/assets/0123456789ab/start.mjs"):
        answer = client.get(address)
        assert (answer.status_code, answer.json) == (404, {"error": "There is no such file."})


def test_any_change_of_any_file_is_another_version(tmp_path):
    (tmp_path / "below").mkdir()
    versions = set()
    for name, content in (("a.mjs", "1"), ("a.mjs", "2"), ("below/a.mjs", "2"), ("below/b.mjs", "")):
        (tmp_path / name).write_text(content)
        versions.add(asset_files.fingerprint(tmp_path))
        assert asset_files.fingerprint(tmp_path) in versions
    (tmp_path / "below/b.mjs").rename(tmp_path / "b.mjs")
    versions.add(asset_files.fingerprint(tmp_path))
    assert len(versions) == 5


def test_the_page_of_a_session_runs_one_module_and_lets_all_others_be_fetched_at_once(client, session):
    page = client.get(f"/s/{session}").text
    ours = [(source, module) for source, module in scripts_of(page) if source.startswith("/assets/")]
    assert sorted(ours) == [(f"{URL_PATH}/start.mjs", True), (f"{URL_PATH}/vendor/plotly-basic.min.js", False)]
    modules = [name for name in FILES if name.endswith(".mjs") and "/" in name]
    assert PRELOAD.findall(page) == [f"{URL_PATH}/{name}" for name in modules]


def test_the_start_page_runs_one_module(client):
    page = client.get("/sessions").text
    assert list(scripts_of(page)) == [(f"{URL_PATH}/sessions.mjs", True)]
    shared = [name for name in FILES if name.startswith("shared/")]
    assert PRELOAD.findall(page) == [f"{URL_PATH}/{name}" for name in shared]


def test_scripts_ask_for_elements_that_there_are(client):
    dialog = json.dumps(address_dialog(Places.parse("https://images.org")), cls=PlotlyJSONEncoder)
    pages = re.findall(r'"id": ?"([\w-]+)"', client.get("/_dash-layout").text + dialog)
    pages += re.findall(r'\bid="([\w-]+)"', client.get("/sessions").text)
    scripts = "".join((FOLDER / name).read_text() for name in FILES if name.endswith(".mjs"))
    made = re.findall(r'\bid: "([\w-]+)"', scripts)
    asked_for = {name for names in ASKED_FOR.findall(scripts) for name in names if name}
    assert len(asked_for) > 50
    assert asked_for - {*pages, *made} == set()


def test_no_script_may_stand_in_a_page(client, session):
    policy = client.get(f"/s/{session}").headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy


def test_what_is_dropped_is_taken_for_an_image_by_the_endings_that_the_server_reads():
    text = (FOLDER / "controls/dropped.mjs").read_text()
    pattern = re.search(r"const IMAGE = /(.*)/i;", text)[1]
    for suffix in READ_SUFFIXES | {ZIPPED_ZARR}:
        assert re.search(pattern, f"cells{suffix}"), suffix
