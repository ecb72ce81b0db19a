import os

import pytest

from segmentation._shared import memory
from segmentation._shared.memory import memory_bytes

MACHINE = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@pytest.mark.parametrize(
    ("own", "files", "expected"),
    [
        ("0::/service/one", {"service/memory.max": "1000000", "service/one/memory.max": "max"}, 1_000_000),
        ("0::/", {"memory.max": "300000000"}, 300_000_000),
        ("0::/", {"memory.max": "max"}, MACHINE),
        ("5:cpu,cpuacct:/\n4:memory:/docker/x", {"memory/memory.limit_in_bytes": "2000000"}, 2_000_000),
        ("4:memory:/", {"memory/memory.limit_in_bytes": "9223372036854771712"}, MACHINE),
        ("0::/", {}, MACHINE),
    ],
)
def test_the_least_that_anything_around_allows(monkeypatch, tmp_path, own, files, expected):
    (tmp_path / "own").write_text(own + "\n")
    for name, text in files.items():
        (tmp_path / "groups" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "groups" / name).write_text(text + "\n")
    monkeypatch.setattr(memory, "OWN_GROUPS", tmp_path / "own")
    monkeypatch.setattr(memory, "CONTROL_GROUPS", tmp_path / "groups")
    assert memory_bytes() == expected


def test_where_nothing_is_said_the_machine_counts(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "OWN_GROUPS", tmp_path / "none")
    assert memory_bytes() == MACHINE
    monkeypatch.delattr(os, "sysconf")
    assert memory_bytes() == 0
