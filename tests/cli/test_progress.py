"""What a person at a terminal sees."""

import io
import sys

from segmentation.cli.progress import JsonLines, Quiet, Terminal, bar
from segmentation.series.events import Event, SeriesReport


def test_the_bar_tells_the_time_left_once_it_can():
    assert bar(0.0, 0, 9, 0.0) == "[........................]   0%, 0 of 9 images"
    assert bar(0.25, 2, 9, 60.0) == "[######..................]  25%, 2 of 9 images, 3 min 0 s left"
    assert bar(1.0, 1, 1, 60.0).endswith("100%, 1 of 1 image, 0 s left")


class Screen(io.StringIO):
    def isatty(self):
        return True


def test_the_bar_stays_on_its_line_and_is_wiped_for_the_summary(monkeypatch):
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    terminal = Terminal()
    terminal.handle(Event("start", 2, 0.0))
    terminal.handle(Event("segmented", 2, 0.5, image="a"))
    terminal.handle(Event("failed", 2, 1.0, image="b", reason="It is gone."))
    terminal.handle(Event("end", 2, 1.0))
    shown = screen.getvalue()
    assert shown.count("\n") == 1
    assert shown.startswith("\r[....")
    assert shown.endswith("\r1 image segmented in 0 s, 1 could not be segmented.\n")


def test_failures_are_told_to_everybody(capsys):
    for listener in (Quiet(), JsonLines(), Terminal()):
        listener.tell_failures(SeriesReport(failed={"b.tif": "It is gone."}))
    assert capsys.readouterr().err == 3 * "squiggle: b.tif: It is gone.\n"


def test_notes_are_told_once_each_to_everybody(capsys):
    notes = {"a.tif": ("All one class.",), "b.tif": ("Too dark.", "All one class."), "c.tif": ("All one class.",)}
    for listener in (Quiet(), JsonLines(), Terminal()):
        listener.tell_notes(SeriesReport(notes=notes))
    told = "squiggle: a.tif and 2 more images: All one class.\nsquiggle: b.tif: Too dark.\n"
    assert capsys.readouterr().err == 3 * told
