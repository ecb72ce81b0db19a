"""What the documentation says of the code is so: names, folders, decisions, links."""

import re
from pathlib import Path

import pytest

import segmentation as seg
from docs import write

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
NOT_OURS = {line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines()}
A_PAGE = 60


def test_the_reference_has_every_public_name():
    headings = re.findall(r"^### (\w+)$", write.API.read_text(), re.MULTILINE)
    assert sorted(headings) == sorted(name for name in seg.__all__ if not name.startswith("_"))


def test_the_reference_is_what_the_docstrings_say():
    assert write.API.read_text() == write.api(), "run `make docs`"


def test_names_that_share_a_line_of_arguments_share_a_bullet_however_many_lines_they_take():
    def thing():
        """It does.

        Args:
            first: the first,
                and more of it.
            second, third,
                fourth: the others.
        """

    assert "- `first`: the first,\n  and more of it.\n- `second`, `third`, `fourth`: the others." in write.body(thing)


def test_the_map_says_of_each_folder_what_its_docstring_says():
    assert write.map_of(write.CONTRIBUTING.read_text())[1] == write.folders(), "run `make docs`"


def test_every_folder_is_on_the_map():
    mapped = set(re.findall(r"^- `([^`]+)/`: \S", write.folders(), re.MULTILINE))
    at_the_top = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")} - NOT_OURS
    code = {path.parent for path in (ROOT / "segmentation").rglob("*.py")}
    inside = {str(path.relative_to(ROOT)) for path in code if path.name != "versions"}
    assert mapped == at_the_top | inside


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document):
    for target in re.findall(r"\]\((?!https?://)([^)#]+)", document.read_text()):
        assert (document.parent / target).exists(), target


def test_each_decision_is_in_their_list():
    listed = re.findall(r"\]\((0\d+-[\w-]+\.md)\)", (ROOT / "docs/decisions/README.md").read_text())
    assert listed == [path.name for path in DECISIONS]
    assert len(listed) == 14


def places_of(name):
    """What a path means in a record: from the top, or from within the package."""
    return [place / name for place in (ROOT, ROOT / "segmentation") if (place / name).exists()]


@pytest.mark.parametrize("record", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_is_short_and_names_files_that_there_are(record):
    text = record.read_text()
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
    assert len(text.splitlines()) <= A_PAGE
    for name in re.findall(r"`([\w/]+(?:\.py|\.mjs|/))`", text):
        assert places_of(name), name
    for word, name in re.findall(r"`(\w+)` in\s+`([\w/]+\.py)`", text):
        assert f"def {word}(" in places_of(name)[0].read_text(), word


def test_the_glossary_has_each_word_once():
    words = re.findall(r"^\| \*\*([^*]+)\*\* \|", (ROOT / "docs/glossary.md").read_text(), re.MULTILINE)
    assert len(words) == len(set(words)) > 40
