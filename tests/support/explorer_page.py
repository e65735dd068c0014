"""The explorer served as a user starts it, and opened in Debian's Chromium."""

import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

_FLAGS = ("--no-sandbox", "--disable-quic", "--disable-background-networking", "--no-first-run")


@contextmanager
def served(folder, zjtx=(sys.executable, "-m", "zjtx_alloc")):
    """Run ``zjtx explore`` in a folder; gives the address that it prints, where it answers. The rest goes to printed.txt."""
    with (
        (Path(folder) / "printed.txt").open("w", encoding="utf-8") as printed,
        subprocess.Popen([*zjtx, "explore"], cwd=folder, stdout=subprocess.PIPE, stderr=printed, text=True) as server,
    ):
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()
            server.wait(30)


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
        page.wait_for_selector("#why h3", timeout=60_000)
        yield page, asked


_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page):
    """What axe-core finds against WCAG 2.2 A and AA and best practice: the rule, and three places at most."""
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 - only where a browser is at hand

    options = {
        "resultTypes": ["violations"],
        "runOnly": {"type": "tag", "values": _RULES},
        "rules": {"target-size": {"enabled": True}},
    }
    found = Axe().run(page, options=options).response["violations"]
    return {one["id"]: [node["html"] for node in one["nodes"]][:3] for one in found}
