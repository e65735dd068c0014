"""How long the explorer takes to its first view, and from a move to the last change of the page, in Chromium.

Run with ``python benchmarks/explorer.py [MOVES]`` where playwright and Chromium are installed; prints each median, the limit
that the project holds itself to, the parts of a move, and the ratio of the page to the computation alone.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from support.explorer_page import opened, served

FIRST, LIMIT = 5.0, 0.2  # seconds
QUIET = 900  # milliseconds without a change, after which no more is expected

WATCH = """() => {
  window.pressed = window.changed = 0;
  document.addEventListener('keydown', () => { window.pressed = performance.now() }, true);
  new MutationObserver(() => { window.changed = performance.now() })
    .observe(document.body, {subtree: true, childList: true, attributes: true, characterData: true});
}"""


def in_the_page(moves: int) -> tuple[float, float, list[float]]:
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        with served(folder) as address:
            up = time.perf_counter()
            with opened(address) as (page, _):
                first = page.evaluate("performance.now()") / 1000
                page.evaluate(WATCH)
                taken = []
                for move in range(moves):
                    page.locator("[id='w..little_giants']").press("ArrowRight" if move % 20 < 10 else "ArrowLeft")
                    page.wait_for_function(
                        f"() => performance.now() - Math.max(window.pressed, window.changed) > {QUIET}"
                    )
                    taken.append(page.evaluate("window.changed - window.pressed") / 1000)
    return up - began, first, taken


def parts(moves: int) -> dict[str, list[float]]:
    import zjtx_alloc as za
    from zjtx_alloc.allocation.allocate_programme import allocate_batch
    from zjtx_alloc.explorer import view
    from zjtx_alloc.explorer.controls import controls
    from zjtx_alloc.explorer.state import act, in_force, start

    panel, scenario = za.load_panel(), za.load_scenario("2024-baseline")
    baseline, state, taken = allocate_batch(panel, scenario), start(scenario), {}

    def timed(name, do, *of):
        began = time.perf_counter()
        made = do(*of)
        taken.setdefault(name, []).append(time.perf_counter() - began)
        return made

    for move in range(moves):
        state = act(state, "weight", ["", "little_giants", 40 + move % 20])
        found = timed("the allocation", allocate_batch, panel, in_force(state))
        timed("why", view.why_html, found, "110000", True)
        timed("the map", view.map_html, found, baseline, "110000")
        timed("gains and losses", view.changes_html, found, baseline)
        timed("the controls", controls, state, panel)
    return taken


def line(name: str, seconds: float, limit: float | None = None) -> None:
    kept = "" if limit is None else f"  limit {limit:g} s: {'kept' if seconds <= limit else 'EXCEEDED'}"
    print(f"{name:<34}{seconds:7.3f} s{kept}")


def main() -> None:
    moves = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    up, first, page = in_the_page(moves)
    alone = {name: statistics.median(seconds) for name, seconds in parts(moves).items()}
    median = statistics.median(page)
    line("until the server is up", up)
    line("first view after that", first, FIRST)
    line("the first move", page[0])
    line(f"a move, median of {moves}", median, LIMIT)
    for name, seconds in alone.items():
        line(f"  {name}", seconds)
    print(f"a move to its parts alone: {median / sum(alone.values()):.2f} times")


if __name__ == "__main__":
    main()
