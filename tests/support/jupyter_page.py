"""Notebooks opened in JupyterLab as ``make lab`` serves it, in Debian's Chromium."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

LAB_SETTINGS = Path(__file__).parents[2] / "data" / "jupyter"
# Of every table: how many characters stand on a line of the cell that is broken most, and whether it is cut off.
MEASURED = """() => [...document.querySelectorAll(".jp-OutputArea-output table")].map(table => {
  let fewest = Infinity, text = "";
  for (const cell of table.querySelectorAll("td, th")) {
    const characters = [...cell.textContent.trim()].length, range = document.createRange();
    if (characters < 4 || !cell.getClientRects().length) continue;
    range.selectNodeContents(cell);
    const lines = new Set([...range.getClientRects()].map(line => Math.round(line.top / 4)));
    if (characters / lines.size < fewest) { fewest = characters / lines.size; text = cell.textContent.trim(); }
  }
  const box = table.closest(".scroll") || table.closest(".jp-OutputArea-output");
  const cut = table.scrollWidth > box.clientWidth + 1 && !["auto", "scroll"].includes(getComputedStyle(box).overflowX);
  const title = table.caption ? table.caption.textContent : "";
  return {title, fewest, text, cut, beyond: box.getBoundingClientRect().right > innerWidth};
})"""


@contextmanager
def laboratory(folder, state):
    """JupyterLab over a folder; gives its address. ``state`` is where it keeps what it notes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    overrides = state / "settings" / "@jupyterlab" / "notebook-extension" / "tracker.jupyterlab-settings"
    overrides.parent.mkdir(parents=True)
    overrides.write_text(
        json.dumps({"windowingMode": "none"}), encoding="utf-8"
    )  # every cell is drawn, in sight or not
    places = {"CONFIG_DIR": "config", "RUNTIME_DIR": "runtime", "DATA_DIR": "data"}
    env = os.environ | {f"JUPYTER_{name}": str(state / place) for name, place in places.items()}
    env |= {"JUPYTERLAB_SETTINGS_DIR": str(state / "settings"), "JUPYTER_CONFIG_PATH": str(LAB_SETTINGS)}
    address = f"http://127.0.0.1:{port}"
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}", "--ServerApp.token=",
        "--ServerApp.password=", f"--ServerApp.root_dir={folder}", "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]  # fmt: skip
    with (state / "printed.txt").open("w", encoding="utf-8") as printed:
        server = subprocess.Popen(command, env=env, stdout=printed, stderr=subprocess.STDOUT)
        try:
            for _ in range(120):
                try:
                    urllib.request.urlopen(f"{address}/api").close()
                    break
                except OSError:
                    time.sleep(0.5)
            yield address
        finally:
            server.terminate()
            server.wait(30)
