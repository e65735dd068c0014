"""Sweeps whose rules cross: solved in processes and on a cluster, to the same bytes."""

import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pandas as pd
import pytest
from support.sweep_toys import toy, toy_doubt

import zjtx_alloc as za
from zjtx_alloc.report.tables import sweep as sweep_tables
from zjtx_alloc.uncertainty import sweep as sweeping, workers
from zjtx_alloc.uncertainty.admissible import with_uncertainty


def crossing(panel):
    a, b, c, *_ = panel.units.index
    rules = {"r": {"units": [a, b], "max": 12.0}, "s": {"units": [b, c], "min": 14.0}}
    return toy(panel, rules=rules)


@pytest.mark.thorough
def test_few_draws_are_the_default_where_rules_cross_and_are_said_to_be_few(small_panel, panel, baseline):
    found = za.sweep(small_panel, crossing(small_panel), {"total": {"min": 38, "max": 42}})
    assert found.draws == sweeping.FEW_DRAWS == 64
    assert sum("抽样只有64次" in line for line in sweep_tables.sweep_summary(found)) == 1
    assert any("抽样只有64次" in note for note in sweep_tables.sweep_table(found).notes)
    assert not any("抽样只有" in line for line in sweep_tables.sweep_summary(za.sweep(panel, baseline, draws=1000)))


@pytest.mark.slow
def test_rules_that_cross_are_solved_in_processes_to_the_same_bytes(small_panel, monkeypatch):
    alone = za.sweep(small_panel, crossing(small_panel), toy_doubt(), draws=24)
    monkeypatch.setattr(workers, "_FEW", 0)
    monkeypatch.setattr(workers, "_BATCH", 7)
    spread = za.sweep(small_panel, crossing(small_panel), toy_doubt(), draws=24)
    assert spread.quotas.tobytes() == alone.quotas.tobytes()
    pd.testing.assert_frame_equal(spread.sobol, alone.sobol, check_exact=True)
    for draw in range(0, 24, 5):
        assert (za.allocate(*alone.at(draw)).quota.to_numpy() == alone.quotas[draw]).all()


def started(*arguments):
    """A process of the cluster, which says on stderr when it is up; everything stays on loopback."""
    return subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=Path(za.__file__).parents[1],
    )  # fmt: skip


@pytest.fixture
def cluster():
    """Address of a scheduler on loopback, and its two workers."""
    pytest.importorskip("distributed", reason="distributed（extra cluster）未安装")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    port = address.rpartition(":")[2]
    processes = [started("scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")]
    for _ in range(2):
        processes.append(
            started("worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1")
        )
    yield address, processes[1:]
    for process in processes:
        process.kill()
        process.wait()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # other people's
def test_a_cluster_gives_the_same_bytes_though_a_worker_dies_in_mid_run(cluster, small_panel, monkeypatch):
    distributed = pytest.importorskip("distributed")
    address, crew = cluster
    scenario = with_uncertainty(crossing(small_panel), toy_doubt(total=None))
    alone = za.sweep(small_panel, scenario, draws=64)
    with distributed.Client(address, set_as_default=False) as watcher:
        watcher.wait_for_workers(2, timeout=60)
        monkeypatch.setattr(workers, "_BATCH", 2)
        shots = []

        def shoot():
            while not shots:
                stacks = watcher.processing()
                if len(stacks) == 2 and all(stacks.values()):
                    crew[0].kill()
                    shots.append(sum(map(len, stacks.values())))
                time.sleep(0.02)

        gunman = threading.Thread(target=shoot)
        gunman.start()
        spread = za.sweep_on_cluster(address, small_panel, scenario, draws=64)
        shots.append(0)
        gunman.join()
        assert shots[0] > 0, "nobody was killed in mid-run"
        watcher.wait_for_workers(1, timeout=10)
    assert crew[0].poll() is not None
    assert spread.quotas.tobytes() == alone.quotas.tobytes()
    pd.testing.assert_frame_equal(spread.shapley, alone.shapley, check_exact=True)


def test_without_distributed_the_extra_is_named(panel, baseline, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(za.SolverError, match=r"zjtx_alloc\[cluster\]"):
        za.sweep_on_cluster("tcp://127.0.0.1:1", panel, baseline, draws=4)


@pytest.mark.thorough
@pytest.mark.parametrize("address", ["", "nowhere", "tcp://10.0.0.1", "tcp://10.0.0.1:"])
def test_an_address_without_a_port_is_refused_before_anything_is_started(address, monkeypatch):
    distributed = pytest.importorskip("distributed", reason="distributed（extra cluster）未安装")
    monkeypatch.setattr(distributed, "Client", None)
    with pytest.raises(za.SolverError, match="写法如 tcp://"), workers.cluster_engine(address):
        pass
