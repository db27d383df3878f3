"""Back-pressure as iterators: how many clocks to pause before each beat.

At a source the pause is a gap (``tvalid`` low). At a sink the beat is made to wait: ``tready``
stays low until ``tvalid`` has been high for that many clocks, so every pause is a real stall
whatever the speed of the circuit.
"""

import re
from collections.abc import Iterator
from itertools import chain, count, repeat
from random import Random

from rchw.errors import DesignError

__all__ = ["always", "at_random", "bursts", "every_nth", "never", "parse"]


def never() -> Iterator[int]:
    """Never pause."""
    return repeat(0)


def always(clocks: int) -> Iterator[int]:
    """Pause alike before every beat."""
    return repeat(clocks)


def every_nth(beats: int, clocks: int) -> Iterator[int]:
    """Pause before every `beats`-th beat."""
    return (clocks if index % beats == beats - 1 else 0 for index in count())


def bursts(beats: int, clocks: int) -> Iterator[int]:
    """Alternately `beats` beats without and `beats` beats with a pause."""
    return (clocks if (index // beats) % 2 else 0 for index in count())


def at_random(percent: int, longest: int, seed: int) -> Iterator[int]:
    """Before `percent` in 100 beats a pause of 1 to `longest` clocks."""
    rng = Random(seed)
    return (rng.randint(1, longest) if rng.randrange(100) < percent else 0 for _ in count())


def parse(text: str, seed: int = 0) -> Iterator[int]:
    """Make an iterator from its name in a job file.

    Parameters
    ----------
    text : str
        ``never``, ``always:CLOCKS``, ``every:BEATS:CLOCKS``, ``bursts:BEATS:CLOCKS``,
        ``random:PERCENT:LONGEST``, or ``list:CLOCKS,CLOCKS,...``, which never pauses after its end.
    seed : int
        Of the random pauses.

    Raises
    ------
    DesignError
        If the text is none of these, or a number is not positive.

    >>> from itertools import islice
    >>> list(islice(parse("every:3:2"), 6))
    [0, 0, 2, 0, 0, 2]
    >>> list(islice(parse("list:3,0,1"), 5))
    [3, 0, 1, 0, 0]
    """
    if re.fullmatch(r"list:\d+(,\d+)*", text):
        return chain(map(int, text.removeprefix("list:").split(",")), repeat(0))
    kind, *numbers = text.split(":")
    if all(number.isdigit() and int(number) > 0 for number in numbers):
        values = [int(number) for number in numbers]
        match kind, values:
            case "never", []:
                return never()
            case "always", [clocks]:
                return always(clocks)
            case "every", [beats, clocks]:
                return every_nth(beats, clocks)
            case "bursts", [beats, clocks]:
                return bursts(beats, clocks)
            case "random", [percent, longest]:
                return at_random(percent, longest, seed)
    raise DesignError(
        "pauses must be never, always:CLOCKS, every:BEATS:CLOCKS, bursts:BEATS:CLOCKS, "
        f"random:PERCENT:LONGEST with positive numbers, or list:CLOCKS,..., not {text!r}"
    )
