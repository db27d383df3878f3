"""A search from start to end: the front, its designs on the test samples, floors, and all files.

Test samples are read once, when every choice is made, and of the designs on the front alone.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rchw.classification import CLASSIFIERS
from rchw.codesign.explore import STORE
from rchw.codesign.front import Front
from rchw.design import Design
from rchw.document import digest, save
from rchw.errors import DesignError
from rchw.experiment import FLOORS, Steps, finite
from rchw.files import together
from rchw.report.front import SMALL, front_page
from rchw.tasks import SequenceTask, Task
from rchw.tasks.floors import floors
from rchw.tasks.sequence_floors import sequence_floors
from rchw.train import evaluate
from rchw.train.sequences import labels_of

__all__ = ["FRONT", "PAGE", "TABLE", "Explored", "measure"]

TABLE, FRONT, PAGE = "trials.csv", "front.json", "index.html"


@dataclass(frozen=True)
class Explored:
    """A front that was measured, nothing of it written yet.

    Attributes
    ----------
    front : Front
    designs : dict of str to Design
        Of its members, by name.
    record : dict
        Ready for JSON: the search, the front with test errors and digests, the floors.
    page : str
        HTML.
    """

    front: Front
    designs: dict[str, Design]
    record: dict[str, Any]
    page: str

    def write(self, folder: Path) -> dict[str, str]:
        """Write table, front, page and designs, or nothing.

        Designs of an earlier front in this folder that are on this one no more are taken away.

        Returns
        -------
        dict of str to str
            Paths; the store of the search is among them.

        Raises
        ------
        RchwError
            If the folder cannot be written.
        """
        former = _members(folder / FRONT)
        with together(folder) as temporary:
            (temporary / TABLE).write_text(self.front.table(), encoding="utf-8")
            (temporary / PAGE).write_text(self.page, encoding="utf-8")
            text = json.dumps(self.record, indent=1, allow_nan=False)
            (temporary / FRONT).write_text(text + "\n", encoding="utf-8")
            for name, design in self.designs.items():
                save(design, temporary / f"{name}.json")
        for name in former - set(self.designs):
            (folder / f"{name}.json").unlink(missing_ok=True)
        names = {"page": PAGE, "front": FRONT, "trials": TABLE, "store": STORE}
        return {key: str(folder / name) for key, name in names.items()}


def _members(path: Path) -> set[str]:
    """Names of the designs of an earlier front; none where there is no record of one."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["front"]
        return {str(entry["name"]) for entry in found if str(entry["name"]).isidentifier()}
    except (OSError, ValueError, LookupError, TypeError):
        return set()


def measure(front: Front, task: Task | SequenceTask, steps: Steps, command: str) -> Explored:
    """Train the designs of a front once more, and measure them and the floors on test samples.

    Parameters
    ----------
    front : Front
    task : Task or SequenceTask
        That of the search.
    steps : Steps
        Shows progress.
    command : str
        What made it, for the page.

    Raises
    ------
    DesignError
        If no design keeps to the limits.
    RchwError
        If a design does not come to its validation error again.
    """
    members = front.members
    if not members:
        raise DesignError(f"no design keeps to the limits of {len(front.designs)} that were tried")
    designs, errors = {}, {}
    with steps.step(f"measuring {len(members)} designs on the test samples"):
        for found in members:
            designs[found.name] = front.design(found)
            errors[found.name] = _test_error(designs[found.name], task)
    with steps.step("measuring the floors"):
        levels, names = _floors(task, front.trials.space.units[1])
    record = front.summary()
    for entry in record["front"]:
        entry["test_error"] = finite(errors[entry["name"]])
        entry["digest"] = digest(designs[entry["name"]])
    record["floors"] = {key: finite(float(value)) for key, value in levels.items()}
    record["under"] = {str(most): _under(front, most) for most in SMALL}
    record["designs"] = len(front.designs)
    record["refused"] = len(front.refused)
    told = {names[key]: value for key, value in levels.items() if finite(value) is not None}
    return Explored(front, designs, record, front_page(front, errors, told, command))


def _under(front: Front, most: int) -> dict[str, Any] | None:
    """The best design of at most so many cells, as the record tells it."""
    found = front.best("cells", most)
    return None if found is None else front.entry(found)


def _test_error(design: Design, task: Task | SequenceTask) -> float:
    """Error on the test samples; of sequences the part that is answered wrongly."""
    if isinstance(task, SequenceTask):
        answers = labels_of(design, [task.sequences[row] for row in task.test])
        return task.errors(answers, task.test) / len(task.test)
    return float(evaluate(design, task)["error"])


def _floors(task: Task | SequenceTask, units: int) -> tuple[dict[str, float], Mapping[str, str]]:
    """Test errors of the floors, and what they are called."""
    if isinstance(task, SequenceTask):
        found = sequence_floors(task)
        return {key: floor.errors / floor.of for key, floor in found.items()}, CLASSIFIERS
    return {key: float(value) for key, value in floors(task, units).items()}, FLOORS
