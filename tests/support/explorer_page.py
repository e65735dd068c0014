"""The explorer served as a user starts it, and opened in Debian's Chromium."""

import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from urllib.parse import urlsplit

_FLAGS = ("--no-sandbox", "--disable-quic", "--disable-background-networking", "--no-first-run")


@contextmanager
def served(folder, zjtx=(sys.executable, "-m", "zjtx_alloc"), log=subprocess.DEVNULL):
    """Run ``zjtx explore`` in a folder; gives the address that it prints, once it answers."""
    with subprocess.Popen([*zjtx, "explore"], cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True) as server:
        try:
            address = server.stdout.readline().strip()
            _wait_for(address)
            yield address
        finally:
            server.terminate()
            server.wait(30)


def _wait_for(address):
    where = urlsplit(address)
    for _ in range(1200):
        try:
            with socket.create_connection((where.hostname, where.port), timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(address)


@contextmanager
def browser():
    """Debian's Chromium, started."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where a browser is at hand

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(_FLAGS))
        yield chromium
        chromium.close()


@contextmanager
def opened(address, width=1280, height=900):
    """The page in a browser of its own, and the list of every address that it asks for."""
    with browser() as chromium:
        page = chromium.new_page(viewport={"width": width, "height": height})
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        page.wait_for_selector(".zjtx-why h3", timeout=60_000)
        yield page, asked
