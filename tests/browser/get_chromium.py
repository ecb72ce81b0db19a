"""Makes sure that there is a Chromium for the browser tests, or says how to get one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

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
    if find_chromium():
        return
    print("Installing Chromium for the browser tests", flush=True)
    ways = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if shutil.which("apt-get") and os.geteuid() == 0:
        ways.insert(0, ["sh", "-c", "apt-get update -qq && apt-get install -y -qq chromium"])
    for way in ways:
        if subprocess.run(way, check=False).returncode == 0 and find_chromium():
            return
    sys.exit(
        "The browser tests need Chromium, and it could not be installed. Install it with your system's packages "
        "(Debian, Ubuntu: sudo apt-get install chromium; macOS: brew install --cask chromium), or set CHROMIUM to "
        "the path of a Chromium or Chrome."
    )


if __name__ == "__main__":
    main()
