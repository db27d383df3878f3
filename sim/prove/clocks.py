"""How long a beat can take, from the ways between the moments of a circuit."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from rchw.sim.prove.explore import Edge, Moment

__all__ = ["flowing", "longest_wait", "period"]

Place = tuple[Moment, int]  # a moment, and which of its samples, the oldest first


def flowing(edges: Mapping[Moment, Sequence[Edge]]) -> set[Moment]:
    """Moments that a circuit comes to after a reset if its output never pauses."""
    waiting = [next(iter(edges))]
    seen = set(waiting)
    while waiting:
        for edge in edges[waiting.pop()]:
            if edge.to not in seen and any(ready for _, ready in edge.handshakes):
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
            if any(ready for _, ready in edge.handshakes):
                yield None if edge.given and index == 0 else (edge.to, index - edge.given)

    starts = [
        (edge.to, len(edge.to.samples) - 1)
        for moment in within
        for edge in edges[moment]
        if edge.taken and any(ready for _, ready in edge.handshakes)
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
    """Clocks and samples of every round that a circuit comes to if neither side ever pauses."""
    ends: dict[Moment, tuple[int, int]] = {}
    for start in edges:
        way: dict[Moment, tuple[int, int]] = {}
        moment, clocks, samples = start, 0, 0
        while moment not in way and moment not in ends:
            way[moment] = (clocks, samples)
            edge = next((edge for edge in edges[moment] if (1, 1) in edge.handshakes), None)
            assert edge is not None
            moment, clocks, samples = edge.to, clocks + 1, samples + edge.taken
        found = ends.get(moment)
        if found is None:
            before = way[moment]
            found = (clocks - before[0], samples - before[1])
        ends.update(dict.fromkeys(way, found))
    return set(ends.values())
