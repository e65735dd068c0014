"""Mutation testing: how many small changes of ``factors``, ``quota`` and ``budget`` the tests notice.

``python -m pip install mutmut``, then ``python benchmarks/mutants.py FOLDER [--seconds N] [--cap S] [--only TEXT]``.
mutmut makes the mutants. Its own runner starts pytest for each, seconds a mutant; here the tests are collected once
and a process is forked for each mutant. It runs the tests that reach the changed function, those first that have
noticed its other mutants, then the quick ones, until one fails or they would take more than S seconds together.

Mutants come in an order drawn once, so what has been run by the time N is over is a random sample. Results are
appended to FOLDER/results.jsonl; a run goes on where the last one stopped, ``--again`` runs survivors again,
``--list`` prints them as differences. POSIX alone.
"""

import argparse
import difflib
import gc
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol
from mutmut.mutation import trampoline
from mutmut.mutation.file_mutation import mutate_file_contents

ROOMS = ("zjtx_alloc/allocation/entitlement.py", "zjtx_alloc/quota/*.py", "zjtx_alloc/budget/*.py")
WHOLE = ("house", "docs", "studies", "cli", "report", "explorer", "broken", "faults*", "fuzz", "gallery", "unit_runs")
ALL = ("-m", "not slow", "--hypothesis-profile", "full")
FEW = 20  # tests; a function that fewer reach may be called once and its value kept
WORKERS = os.cpu_count() or 1


def function_of(mutant: str) -> str:
    return mutant.partition("__mutmut_")[0]


def prepare(folder: Path) -> None:
    """Copy what git tracks into the folder and put the mutants in."""
    root = Path(__file__).parents[1]
    tree = folder / "tree"
    files = subprocess.run(["git", "ls-files"], cwd=root, check=True, capture_output=True, text=True).stdout
    for name in files.splitlines():
        if (root / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, tree / name)
    (tree / "setup.cfg").write_text("[mutmut]\nsource_paths=zjtx_alloc\n", encoding="utf-8")  # mutmut asks for it
    os.chdir(tree)
    mutants = []
    for path in sorted(path for room in ROOMS for path in tree.glob(room)):
        name = path.relative_to(tree).as_posix()
        made = mutate_file_contents(name, path.read_text(encoding="utf-8"))
        path.write_text(made.code, encoding="utf-8")
        module = name.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        mutants += [f"{module}.{mutant}" for mutant in made.mutant_names]
    random.Random(1).shuffle(mutants)
    mutants.sort(key=lambda mutant: not mutant.startswith("zjtx_alloc.allocation.entitlement"))
    (folder / "mutants.json").write_text(json.dumps(mutants), encoding="utf-8")


def forked(work, seconds: int, where: str) -> int:
    """Start a child that does the work in a temporary folder of its own and is ended after so many seconds."""
    if child := os.fork():
        return child
    try:
        silence = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(silence, stream)
        tempfile.tempdir = where
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
        resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(10 * seconds)
        work(Path(where))
    finally:
        os._exit(0)


class Runner:
    """A plugin of pytest: in place of the tests in turn, the tests mutant by mutant."""

    def __init__(self, folder: Path, name: str, seconds: float, cap: float, wanted: list[str]) -> None:
        self.folder, self.name, self.ending, self.cap = folder, name, time.time() + seconds, cap
        self.wanted = wanted
        self.hits: set[str] = set()  # functions reached since it was last emptied
        self.kills: dict[str, Counter[str]] = defaultdict(Counter)  # by function and by module: tests that noticed
        trampoline.record_trampoline_hit = lambda name, caller=None: self.hits.add(name)
        trampoline.set_mutant_under_test("stats")

    def pytest_runtestloop(self, session) -> bool:
        self.imported, self.items = set(self.hits), {item.nodeid: item for item in session.items}
        shared = {"panel", "baseline", "brief_reports", "request"}
        warm = next(item for item in session.items if "panel" in item.fixturenames and {*item.fixturenames} <= shared)
        other = next(item for item in session.items if item.path != warm.path)
        runtestprotocol(warm, nextitem=other, log=False)  # what all children share is made once
        self.session = session
        gc.collect()
        gc.freeze()  # a child that collects garbage would copy all memory
        if not (self.folder / "reach.json").exists():
            self.measure()
        for mutant, result in latest(self.folder).items():
            self.learn(mutant, result["by"])
        self.cost, self.reach = json.loads((self.folder / "reach.json").read_text(encoding="utf-8"))
        self.run_all()
        return True

    def measure(self) -> None:
        """Run each test once, unchanged: its seconds and the functions it reaches."""
        files = sorted({item.path for item in self.session.items})
        parts = [[i for i in self.session.items if files.index(i.path) % WORKERS == part] for part in range(WORKERS)]
        children, places = [], []
        for part in parts:
            places.append(tempfile.mkdtemp())

            def work(where, part=part):
                found = {}
                for item, following in zip(part, [*part[1:], None], strict=True):
                    self.hits.clear()
                    start = time.process_time()
                    reports = runtestprotocol(item, nextitem=following, log=False)
                    failed = any(report.failed for report in reports)
                    setup = next(report.duration for report in reports if report.when == "setup")
                    found[item.nodeid] = (time.process_time() - start, setup, sorted(self.hits), failed)
                (where / "found.json").write_text(json.dumps(found), encoding="utf-8")

            children.append(forked(work, 3600, places[-1]))
        for child in children:
            os.waitpid(child, 0)
        found = {k: v for place in places for k, v in json.loads((Path(place) / "found.json").read_text()).items()}
        print("tests", len(found), "of", len(self.items), "failing unchanged:", [t for t, v in found.items() if v[-1]])
        reach, shared = defaultdict(list), defaultdict(float)
        for test, (_, setup, functions, failed) in found.items():
            file = test.partition("::")[0]
            shared[file] = max(shared[file], setup)  # whichever test of a file comes first pays for what they share
            for function in functions if not failed else ():
                reach[function].append(test)
        cost = {test: seconds + shared[test.partition("::")[0]] for test, (seconds, *_) in found.items()}
        (self.folder / "reach.json").write_text(json.dumps([cost, reach]), encoding="utf-8")

    def order(self, mutant: str) -> list[str]:
        """Return the tests for a mutant, as many as the cap lets."""
        function, module = function_of(mutant), mutant.rpartition(".")[0]
        direct = set(self.reach.get(function, ()))
        if function in self.imported or len(direct) < FEW:  # what is made once is used wherever its module is
            direct |= {t for other, tests in self.reach.items() if other.startswith(f"{module}.x") for t in tests}
        # What a file's tests share is made for one of them and seen by all.
        files = {test.partition("::")[0] for test in direct}
        reaching = [test for test in self.items if test.partition("::")[0] in files]
        own, near = self.kills[function], self.kills[module]
        tests = sorted(reaching, key=lambda test: (-own[test], -near[test], test not in direct, self.cost[test]))
        chosen, total = [], 0.0
        for test in tests:
            if not chosen or total + self.cost[test] <= self.cap:
                chosen.append(test)
                total += self.cost[test]
        return chosen

    def start(self, mutant: str, tests: list[str], where: str) -> int:
        def work(place: Path) -> None:
            if function_of(mutant) in self.imported:  # it has run already: a process that has not imported yet
                command = [
                    sys.executable,
                    "-m",
                    "pytest",
                    "-x",
                    "-q",
                    "--tb=native",
                    "-p",
                    "no:cacheprovider",
                    *ALL,
                    *tests,
                ]
                environment = os.environ | {"MUTANT_UNDER_TEST": mutant, "TMPDIR": where}
                failed = subprocess.run(command, env=environment, check=False).returncode != 0
                (place / "outcome").write_text(f"killed {tests[0]}" if failed else "survived", encoding="utf-8")
                return
            trampoline.set_mutant_under_test(mutant)
            items = [self.items[test] for test in tests]
            for item, following in zip(items, [*items[1:], None], strict=True):
                if any(report.failed for report in runtestprotocol(item, nextitem=following, log=False)):
                    (place / "outcome").write_text(f"killed {item.nodeid}", encoding="utf-8")
                    os._exit(0)
            (place / "outcome").write_text("survived", encoding="utf-8")

        return forked(work, int(5 + 3 * sum(self.cost[test] for test in tests)), where)

    def learn(self, mutant: str, test: str) -> None:
        if test:
            self.kills[function_of(mutant)][test] += 1
            self.kills[mutant.rpartition(".")[0]][test] += 1

    def run_all(self) -> None:
        running: dict[int, tuple[str, str, float]] = {}
        wanted = iter(self.wanted)
        with (self.folder / self.name).open("a", encoding="utf-8") as results:

            def note(mutant: str, outcome: str, seconds: float) -> None:
                state, _, test = outcome.partition(" ")
                results.write(json.dumps({"mutant": mutant, "state": state, "by": test, "s": round(seconds, 2)}) + "\n")
                results.flush()
                self.learn(mutant, test)

            while True:
                while len(running) < WORKERS and time.time() < self.ending and (mutant := next(wanted, None)):
                    if not (tests := self.order(mutant)):
                        note(mutant, "unreached", 0)
                        continue
                    where = tempfile.mkdtemp()
                    running[self.start(mutant, tests, where)] = (mutant, where, time.time())
                if not running:
                    return
                child, _ = os.wait()
                mutant, where, began = running.pop(child)
                outcome = Path(where) / "outcome"
                text = outcome.read_text(encoding="utf-8") if outcome.exists() else ""
                note(mutant, text or "timeout", time.time() - began)
                shutil.rmtree(where, ignore_errors=True)


def latest(folder: Path, name: str = "results.jsonl") -> dict[str, dict]:
    """Return the last result of each mutant."""
    path = folder / name
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {result["mutant"]: result for result in map(json.loads, lines)}


def difference(tree: Path, mutant: str) -> str:
    """Return what a mutant changes, as lines with + and −."""
    module, name = mutant.rsplit(".", 1)
    path = tree / (module.replace(".", "/") + ".py")
    text = (path if path.exists() else path.with_suffix("") / "__init__.py").read_text(encoding="utf-8")
    parts = []
    for wanted in (f"{function_of(name)}__mutmut_orig", name):
        lines = text.split(f"def {wanted}(", 1)[1].splitlines()
        body = [lines[0]]
        for line in lines[1:]:
            if line.strip() and (line[0] != " " or line.lstrip().startswith(("def x", "@_mutmut"))) and line[0] != ")":
                break
            body.append(line.removesuffix("# type: ignore # mutmut generated").rstrip())
        parts.append(body)
    changes = difflib.unified_diff(*parts, n=0, lineterm="")
    return "\n".join(line for line in changes if not line.startswith(("---", "+++", "@@")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--cap", type=float, default=6.0)
    parser.add_argument("--only", default="", help="mutants whose name holds this text")
    parser.add_argument("--again", action="store_true", help="survivors again, in place of what has not been run")
    parser.add_argument("--control", type=int, default=0, help="so many functions unchanged: all must survive")
    parser.add_argument("--list", action="store_true", help="print survivors as differences and run nothing")
    options = parser.parse_args()
    folder = options.folder.resolve()
    if not (folder / "mutants.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        prepare(folder)
    mutants = [m for m in json.loads((folder / "mutants.json").read_text(encoding="utf-8")) if options.only in m]
    done = {mutant: result for mutant, result in latest(folder).items() if mutant in set(mutants)}
    alive = [mutant for mutant, result in done.items() if result["state"] in ("survived", "unreached")]
    if options.list:
        for mutant in sorted(alive):
            print(f"{mutant}\n{difference(folder / 'tree', mutant)}\n")
    else:
        os.chdir(folder / "tree")
        sys.path.insert(0, str(folder / "tree"))
        os.environ["PYTHONPATH"] = str(folder / "tree")
        wanted = alive if options.again else [mutant for mutant in mutants if mutant not in done]
        if options.control:  # the number 0 is no mutant's
            functions = sorted({function_of(mutant) for mutant in mutants})
            wanted = [f"{f}__mutmut_0" for f in random.Random(2).sample(functions, options.control)]
        name = "control.jsonl" if options.control else "results.jsonl"
        runner = Runner(folder, name, options.seconds, options.cap, wanted)
        without = [f"--ignore-glob=*/test_{name}.py" for name in WHOLE]
        pytest.main(
            ["-q", "-s", "-p", "no:cacheprovider", "-p", "no:faulthandler", "--tb=native", *ALL, *without, "tests"],
            plugins=[runner],
        )
    results = latest(folder, "control.jsonl" if options.control else "results.jsonl")
    states = Counter(result["state"] for result in results.values() if options.only in result["mutant"])
    print(f"{len(mutants)} mutants, {sum(states.values())} run: {dict(states)}")


if __name__ == "__main__":
    main()
