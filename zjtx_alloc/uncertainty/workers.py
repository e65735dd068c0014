"""Who solves the scenarios of a sweep: this process, several of them, or a cluster; the answers are the same."""

import multiprocessing
import os
import re
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from zjtx_alloc.base.errors import SolverError
from zjtx_alloc.base.messages import say
from zjtx_alloc.quota.many.solve_many import solve_many, solved_together
from zjtx_alloc.quota.problem.problem import QuotaProblem

Engine = Callable[[QuotaProblem, np.ndarray], np.ndarray]
_Map = Callable[..., Iterable[np.ndarray]]
_BATCH = 32  # scenarios a task: enough to pay for the way there and back
_ADDRESS = re.compile(r"[^:/]:[0-9]{1,5}$")  # ends in a port
_SAFE = "PYTHONSAFEPATH"
_FEW = 200  # scenarios not worth starting processes for


@contextmanager
def local_engine(problem: QuotaProblem, scenarios: int) -> Iterator[Engine]:
    """Solve in this process what is solved many at once, and a few; the rest in one process a core.

    Raises
    ------
    SolverError
        If one of the processes is killed, as where memory is short.
    """
    if solved_together(problem) or scenarios < _FEW:
        yield solve_many
        return
    try:
        with processes() as pool:
            yield partial(_in_batches, partial(_spread, pool))
    except BrokenProcessPool:
        raise SolverError(say("sweep.worker_died")) from None


@contextmanager
def processes() -> Iterator[ProcessPoolExecutor]:
    """One process a core, none of which imports anything from the working folder as it starts."""
    before = os.environ.get(_SAFE)
    os.environ[_SAFE] = "1"
    try:
        with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
            try:
                yield pool
            except KeyboardInterrupt:
                for worker in tuple(pool._processes.values()):
                    worker.kill()
                raise
    finally:
        if before is None:
            os.environ.pop(_SAFE, None)
        else:
            os.environ[_SAFE] = before


@contextmanager
def cluster_engine(address: str) -> Iterator[Engine]:
    """Solve on an existing Dask cluster; a batch whose worker dies is solved by another.

    Raises
    ------
    SolverError
        If ``distributed`` (extra ``cluster``) is not installed, or nobody answers at the address.
    """
    try:
        from distributed import Client  # noqa: PLC0415 - an extra
    except ImportError:
        raise SolverError(say("sweep.no_dask")) from None
    if not _ADDRESS.search(address):  # a client of none would hold the program for 20 s and end in a trace
        raise SolverError(say("sweep.no_cluster", address=address))
    try:
        client = Client(address, timeout="10s", set_as_default=False)
    except (OSError, ValueError):
        raise SolverError(say("sweep.no_cluster", address=address)) from None

    def spread(work: Callable[..., Any], *arguments: list[Any]) -> Any:
        return client.gather(client.map(work, *arguments, pure=False, retries=3))

    with client:
        yield partial(_in_batches, spread)


def _spread(pool: ProcessPoolExecutor, *work: Any) -> Iterator[np.ndarray]:
    """Map over processes that no Ctrl+C reaches, or each would print a trace: this one ends them."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        return pool.map(*work)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return pool.map(*work)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _in_batches(spread: _Map, problem: QuotaProblem, entitlements: np.ndarray) -> np.ndarray:
    batches = [entitlements[start : start + _BATCH] for start in range(0, len(entitlements), _BATCH)]
    return np.concatenate(list(spread(solve_many, [problem] * len(batches), batches)))
