"""How long the explorer takes from a slider's change to the last change of the page, in Chromium.

Run with ``python benchmarks/explorer.py [MOVES]`` where the extra ``[web]``, playwright and Chromium are
installed; prints the median, the limit that the project holds itself to, and the ratio to the computation alone.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from support.explorer_page import opened, served

LIMIT = 0.5
QUIET = 900  # milliseconds without a change, after which no more is expected

WATCH = """() => {
  window.pressed = window.changed = 0;
  document.addEventListener('keydown', () => { window.pressed = performance.now() }, true);
  new MutationObserver(() => { window.changed = performance.now() })
    .observe(document.body, {subtree: true, childList: true, attributes: true, characterData: true});
}"""


def in_the_page(moves: int) -> list[float]:
    with tempfile.TemporaryDirectory() as folder, served(folder) as address, opened(address) as (page, _):
        page.evaluate(WATCH)
        taken = []
        for move in range(moves + 1):
            page.locator(".noUi-handle").nth(1).press("ArrowRight" if move % 20 < 10 else "ArrowLeft")
            page.wait_for_function(f"performance.now() - Math.max(window.pressed, window.changed) > {QUIET}")
            taken.append(page.evaluate("window.changed - window.pressed") / 1000)
    return taken[1:]  # the first warms up


def computation(moves: int) -> list[float]:
    import zjtx_alloc as za
    from zjtx_alloc.explorer.state import in_force, start, with_weight
    from zjtx_alloc.explorer.view import view, why_html

    panel, scenario = za.load_panel(), za.load_scenario("2024-baseline")
    baseline, taken = za.allocate(panel, scenario), []
    for move in range(moves + 1):
        began = time.perf_counter()
        state = with_weight(start(scenario), "", "little_giants", 0.4 + move / 100)
        allocation = za.allocate(panel, in_force(state))
        view(allocation, baseline, "110000")
        why_html(allocation, "110000")
        taken.append(time.perf_counter() - began)
    return taken[1:]


def main() -> None:
    moves = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    page, alone = in_the_page(moves), computation(moves)
    median = statistics.median(page)
    print(f"slider to last change  {median:.3f} s, median of {moves} (from {min(page):.3f} to {max(page):.3f})")
    print(f"{'limit':<23}{LIMIT:.3f} s: {'kept' if median <= LIMIT else 'EXCEEDED'}")
    print(f"{'to computation alone':<23}{median / statistics.median(alone):.2f} times {statistics.median(alone):.3f} s")


if __name__ == "__main__":
    main()
