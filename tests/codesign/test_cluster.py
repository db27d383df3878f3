"""The same search on a real cluster of several Ray nodes, on loopback."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rchw.codesign.engine import RayEngine, engine
from rchw.errors import DesignError
from tests.codesign.test_explore import searched, text
from tests.codesign.work import killed_once, refused, square

pytestmark = [
    pytest.mark.slow,  # nodes and their workers take half a minute to start, minutes under load
    # Of Ray's own: files and sockets of processes that end on their own.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Start a head without cores and two nodes with one core each."""
    made: Any = importlib.import_module("ray.cluster_utils").Cluster(
        initialize_head=True, head_node_args={"num_cpus": 0}
    )
    try:
        for _ in range(2):
            made.add_node(num_cpus=1)
        made.wait_for_nodes()
        yield made
    finally:
        made.shutdown()


def test_the_front_is_that_of_this_machine(cluster: Any, tmp_path: Path) -> None:
    """Results in order, after a killed worker too; errors as they are; and the same front."""
    mark = str(tmp_path / "killed")
    with engine("ray", address=cluster.address) as ray:
        assert ray.map(square, range(6)) == [0, 1, 4, 9, 16, 25]
        assert ray.map(killed_once, [(n, mark) for n in range(4)]) == [0, 10, 20, 30]
        assert Path(mark).exists()
        with pytest.raises(DesignError, match=r"^item must be even, not 1$"):
            ray.map(refused, range(3))
        front = searched(tmp_path, engine=ray)
    assert text(front) == text(searched(None))


def test_a_lost_node_loses_nothing_but_time(cluster: Any, tmp_path: Path) -> None:
    """One of the two nodes goes in the middle of a search."""
    lost = cluster.add_node(num_cpus=1)
    gone: list[int] = []

    def told(done: int, total: int, words: str) -> None:
        if not gone:
            cluster.remove_node(lost, allow_graceful=False)
            gone.append(done)

    with RayEngine(cluster.address) as ray:
        front = searched(None, engine=ray, progress=told)
    assert gone
    assert text(front) == text(searched(None))
