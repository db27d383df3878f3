"""How long a beat can take, from the ways between the moments of a circuit."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from rchw.sim.prove.moments import Edge, Moment

__all__ = ["flowing", "longest_wait", "period"]

Place = tuple[Moment, int]  # a moment, and which of the beats it owes, the oldest first


def flowing(edges: Mapping[Moment, Sequence[Edge]]) -> set[Moment]:
    """Moments that a circuit comes to after a reset if its output never pauses."""
    waiting = [next(iter(edges))]
    seen = set(waiting)
    while waiting:
        for edge in edges[waiting.pop()]:
            if edge.to not in seen and _flows(edge):
                seen.add(edge.to)
                waiting.append(edge.to)
    return seen


def longest_wait(edges: Mapping[Moment, Sequence[Edge]], within: Collection[Moment]) -> int | None:
    """Most clocks from an input beat to its output beat, if the output never pauses from then on.

    Parameters
    ----------
    edges : mapping of Moment to sequence of Edge
        Of an exploration that ended without a breach.
    within : collection of Moment
        Where the beat may be taken: from a moment that `flowing` does not name, it may find
        others before it that waited for the output.

    Returns
    -------
    int or None
        None if there is a way on which the output beat never comes.
    """
    waits: dict[Place, int | None] = {}

    def onward(place: Place) -> Iterator[Place | None]:
        """Where a sample is a clock later; none if it was given out."""
        moment, index = place
        for edge in edges[moment]:
            if _flows(edge):
                yield None if edge.given and index == 0 else (edge.to, index - edge.given)

    starts = [
        (edge.to, len(edge.to.owed) - 1)
        for moment in within
        for edge in edges[moment]
        if edge.taken and edge.to.samples[-1].answers and _flows(edge)
    ]
    for start in starts:
        stack = [start]
        while stack:
            place = stack[-1]
            if waits.get(place) is not None:
                stack.pop()
                continue
            waits[place] = None  # on the way
            after = [step for step in onward(place) if step is not None]
            missing = [step for step in after if step not in waits]
            if missing:
                stack += missing
                continue
            if any(waits[step] is None for step in after):
                return None  # it can come back to where it was
            waits[place] = 1 + max((waits[step] or 0 for step in after), default=0)
            stack.pop()
    return max((waits[start] or 0 for start in starts), default=None)


def period(edges: Mapping[Moment, Sequence[Edge]]) -> set[tuple[int, int]]:
    """Clocks and samples from one that is taken to the next, if neither side ever pauses.

    Where none follows, these are all clocks of a round and no sample.
    """
    eager = {
        moment: [edge for edge in out if any(way[:2] == (1, 1) for way in edge.handshakes)]
        for moment, out in edges.items()
    }
    recurring = _recurring(eager)
    found: set[tuple[int, int]] = set()
    for start in {edge.to for moment in recurring for edge in eager[moment] if edge.taken}:
        moments, clocks = {start}, 0
        while moments and clocks <= len(edges):
            clocks += 1
            ways = [edge for moment in moments for edge in eager[moment]]
            if any(edge.taken for edge in ways):
                found.add((clocks, 1))
            moments = {edge.to for edge in ways if not edge.taken}
        if moments:
            found.add((clocks, 0))
    return found or {(len(recurring), 0)}


def _recurring(eager: Mapping[Moment, Sequence[Edge]]) -> set[Moment]:
    """Moments that are met again and again, or after such."""
    entries = Counter(edge.to for out in eager.values() for edge in out)
    gone = [moment for moment in eager if not entries[moment]]
    left = set(eager) - set(gone)
    while gone:
        for edge in eager[gone.pop()]:
            entries[edge.to] -= 1
            if not entries[edge.to]:
                left.discard(edge.to)
                gone.append(edge.to)
    return left


def _flows(edge: Edge) -> bool:
    """Whether the output is taken on this way."""
    return any(ready for _, ready, _ in edge.handshakes)
