"""Helpers of the tests: servers, people, made-up images. No test module imports from another one, but from here."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The checkout."""

PATIENCE_SECONDS = 240
"""After which a fact that a test waits for is called missing: long enough for a machine with much else to do."""
