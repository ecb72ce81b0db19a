"""Makes sure that there is a Chromium for the browser tests, or says how to get one."""

from __future__ import annotations

import os
import shutil
import sys

from tests.support.installing import by_apt, ensure

INSTALL = "apt-get update -qq && apt-get install -y -qq chromium"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium() -> str | None:
    """Path of a Chromium on this machine, if there is one; CHROMIUM names another."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found:
        return found
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if os.path.exists(own) else None


def main() -> None:
    """Install Chromium where it is missing and can be installed."""
    ensure(
        "Chromium for the browser tests",
        find_chromium,
        [*by_apt(INSTALL), [sys.executable, "-m", "playwright", "install", "chromium"]],
        "The browser tests need Chromium, and it could not be installed. Install it with your system's packages "
        "(Debian, Ubuntu: sudo apt-get install chromium; macOS: brew install --cask chromium), or set CHROMIUM to "
        "the path of a Chromium or Chrome.",
    )


if __name__ == "__main__":
    main()
