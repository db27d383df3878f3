"""Where trials are computed: on this machine's cores, or on a Ray cluster.

An engine maps a function over items and gives the results in the order of the items, whatever order
they come in. What it computes must not depend on where: a function gets all it needs with its item.
A worker that dies is replaced, and its item done again.
"""

import importlib
import multiprocessing
import os
import signal
import socket
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

from rchw.errors import DesignError, RchwError, ToolError

__all__ = ["ENGINES", "Engine", "LocalEngine", "RayEngine", "engine"]

Item = TypeVar("Item")
Result = TypeVar("Result")

ENGINES = ("local", "ray")
_ATTEMPTS = 5  # of an item whose worker dies
# One thread for each worker, or as many as there are cores squared would contend for them.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


class Engine(ABC):
    """What maps functions over items; a context that ends its workers."""

    @abstractmethod
    def map(
        self,
        function: Callable[[Item], Result],
        items: Sequence[Item],
        done: Callable[[int, Result], None] | None = None,
    ) -> list[Result]:
        """Results in the order of the items.

        Parameters
        ----------
        function : callable
            Of one item; both must be picklable.
        items : sequence
        done : callable, optional
            Called here with the place of an item and its result as soon as that is known.

        Raises
        ------
        RchwError
            If workers die again and again of the same item; and what the function raises.
        """

    @abstractmethod
    def end(self) -> None:
        """End all workers that were started here."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()


def engine(name: str, workers: int | None = None, address: str | None = None) -> Engine:
    """Make an engine.

    Parameters
    ----------
    name : str
        ``local`` or ``ray``.
    workers : int, optional
        Of ``local``; as many as there are cores if not given.
    address : str, optional
        Of a running Ray cluster, or ``auto``; without it one is started on this machine.

    Raises
    ------
    DesignError
        If there is no such engine, or an option has no effect on it.
    ToolError
        If Ray is missing.
    """
    if name not in ENGINES:
        raise DesignError(f"engine must be one of {', '.join(ENGINES)}, not {name!r}")
    if name == "local":
        if address is not None:
            raise DesignError(f"address must be left out for engine local, not {address}")
        return LocalEngine(workers)
    return RayEngine(address, workers)


class LocalEngine(Engine):
    """Processes of this machine; with one worker everything is done in this process.

    Parameters
    ----------
    workers : int, optional
        As many as this process may use cores if not given.
    """

    def __init__(self, workers: int | None = None) -> None:
        count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        self.workers = workers if workers is not None else count or 1
        if not 1 <= self.workers <= 1024:
            raise DesignError(f"workers must be from 1 to 1024, not {self.workers}")
        self._pool: ProcessPoolExecutor | None = None

    def map(
        self,
        function: Callable[[Item], Result],
        items: Sequence[Item],
        done: Callable[[int, Result], None] | None = None,
    ) -> list[Result]:
        """As of `Engine`."""
        results: dict[int, Result] = {}

        def keep(place: int, result: Result) -> None:
            results[place] = result
            if done is not None:
                done(place, result)

        if self.workers == 1:
            for place, item in enumerate(items):
                keep(place, function(item))
        failures = 0
        while left := [place for place in range(len(items)) if place not in results]:
            try:
                with _single_threads():
                    futures = {self._start().submit(function, items[k]): k for k in left}
                for future in _completed(futures):
                    keep(futures[future], future.result())
            except BrokenProcessPool as error:
                self.end()  # the next round has new workers
                failures = failures + 1 if len(items) - len(results) == len(left) else 0
                if failures == _ATTEMPTS:
                    raise RchwError(
                        f"workers died {_ATTEMPTS} times in a row: in a script a search must stand "
                        f'below `if __name__ == "__main__":`, and memory must not be too small'
                    ) from error
        return [results[place] for place in range(len(items))]

    def _start(self) -> ProcessPoolExecutor:
        if getattr(multiprocessing.current_process(), "_inheriting", False):
            # A worker that reads the script it was started from has come to the search itself: it
            # goes without a word, and `map` says why where the search began.
            raise SystemExit(1)
        if self._pool is None:
            # Not forked: threads of numpy and numba do not survive that.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self.workers, context, _prepare)
        return self._pool

    def end(self) -> None:
        """As of `Engine`."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        processes = list((pool._processes or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()
        for process in processes:
            process.join()


def _completed(futures: dict[Future[Result], int]) -> Iterator[Future[Result]]:
    """Futures as they complete; of those that are complete at once, failed ones last."""
    pending = set(futures)
    while pending:
        ready, pending = wait(pending, return_when=FIRST_COMPLETED)
        yield from sorted(ready, key=lambda f: (f.exception() is not None, futures[f]))


@contextmanager
def _single_threads() -> Iterator[None]:
    """Let processes that start within the block have one thread each for numpy and numba."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _prepare() -> None:
    """Make a worker leave Ctrl-C to its parent, and end with it, however that ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


class RayEngine(Engine):
    """Workers of a Ray cluster, one core each.

    Parameters
    ----------
    address : str, optional
        Of a running cluster, or ``auto``; without it one is started on this machine, and ended.
    workers : int, optional
        Cores of the cluster that is started here; all if not given.

    Raises
    ------
    DesignError
        If workers are given for a cluster that runs already.
    ToolError
        If Ray is missing, or there is no cluster at the address.
    """

    def __init__(self, address: str | None = None, workers: int | None = None) -> None:
        if address is not None and workers is not None:
            raise DesignError(f"workers must be left out for the cluster at {address}")
        if address is not None:
            _reach(address)
        try:
            self._ray: Any = importlib.import_module("ray")
        except ImportError as error:
            raise ToolError(
                "the Python package ray is missing: install it with `pip install 'rchw[cluster]'`"
            ) from error
        self._own = not self._ray.is_initialized()
        if not self._own:
            return
        try:  # Ray itself gives every task as many threads as cores, one
            self._ray.init(
                address=address or "local", num_cpus=workers, log_to_driver=False,
                logging_level="error", include_dashboard=None if address else False,
            )  # fmt: skip
        except (ConnectionError, ValueError, RuntimeError) as error:
            text = " ".join(str(error).split())[:200]
            raise ToolError(
                f"no Ray cluster answers at {address or 'this machine'}: {text}"
            ) from error

    def map(
        self,
        function: Callable[[Item], Result],
        items: Sequence[Item],
        done: Callable[[int, Result], None] | None = None,
    ) -> list[Result]:
        """As of `Engine`."""
        ray = self._ray
        shared = ray.put(function)
        remote = ray.remote(num_cpus=1, max_retries=_ATTEMPTS)(_call)
        places = {remote.remote(shared, item): place for place, item in enumerate(items)}
        pending, results = list(places), dict[int, Result]()
        try:
            while pending:
                ready, pending = ray.wait(pending, num_returns=1)
                for reference in ready:
                    place = places[reference]
                    results[place] = ray.get(reference)
                    if done is not None:
                        done(place, results[place])
        except ray.exceptions.RayTaskError as error:
            raise error.cause if isinstance(error.cause, Exception) else error from error
        except ray.exceptions.RayError as error:
            raise RchwError(
                f"Ray gave up on a trial: {' '.join(str(error).split())[:200]}"
            ) from error
        finally:
            for reference in pending:
                ray.cancel(reference, force=True)
        return [results[place] for place in range(len(items))]

    def end(self) -> None:
        """As of `Engine`; a cluster that ran before goes on."""
        if self._own:
            self._ray.shutdown()


def _reach(address: str) -> None:
    """Refuse an address where nobody listens: Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not port.isdigit() or not int(port) < 1 << 16:
        return  # a word such as auto
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except OSError as error:
        raise ToolError(f"no Ray cluster answers at {address}: {error.strerror}") from error


def _call(function: Callable[[Item], Result], item: Item) -> Result:
    """What a Ray worker does."""
    return function(item)
