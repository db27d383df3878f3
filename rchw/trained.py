"""What ``rchw train`` has made: three files that belong together.

They are written together at the very end, so that an interruption or a full disk leaves an earlier
result whole: the design ``NAME.json``; what was measured, ``NAME.train.json``, or
``NAME.sequences.json`` where a sequence has a label; and test samples, ``NAME.test.csv``.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rchw.design import Design
from rchw.document import save
from rchw.errors import DesignError
from rchw.files import sha256_of, together

__all__ = ["Trained", "companions"]

_SEQUENCES = "train-sequences"  # kind of the records of labelled sequences


@dataclass(frozen=True)
class Trained:
    """A design with its evidence, nothing of it written yet.

    Attributes
    ----------
    design : Design
    record : dict
        JSON-ready.
    tested : str
        CSV of the test samples: number, targets, predictions; of test sequences number, label,
        answer.
    """

    design: Design
    record: dict[str, Any]
    tested: str

    def write(self, path: Path) -> dict[str, Path]:
        """Write design, record and test samples; either all three or none.

        Raises
        ------
        RchwError
            If the folder cannot be written.
        """
        sequences = self.record["kind"] == _SEQUENCES
        record_path, tested_path = companions(path, sequences)
        tested = "answers" if sequences else "series"
        files = {"design": path, "record": record_path, tested: tested_path}
        with together(path.parent) as folder:
            save(self.design, folder / path.name)
            (folder / tested_path.name).write_text(self.tested, encoding="utf-8")
            named = {key: {"file": file.name} for key, file in files.items()}
            for key in ("design", tested):
                named[key]["sha256"] = sha256_of(folder / files[key].name)
            text = json.dumps(self.record | {"files": named}, indent=1, allow_nan=False)
            (folder / record_path.name).write_text(text + "\n", encoding="utf-8")
        return files


def companions(path: Path, sequences: bool = False) -> tuple[Path, Path]:
    """Record and test samples beside a design file.

    Raises
    ------
    DesignError
        If the name does not end in ``.json``, or ends as a record does.

    >>> [str(p) for p in companions(Path("out/laser.json"))]
    ['out/laser.train.json', 'out/laser.test.csv']
    >>> [str(p) for p in companions(Path("out/digits.json"), sequences=True)]
    ['out/digits.sequences.json', 'out/digits.test.csv']
    """
    ending = ".sequences.json" if sequences else ".train.json"
    if path.suffix != ".json" or path.name.endswith(ending):
        raise DesignError(f"output must be a design file that ends in .json, not {path.name!r}")
    return path.with_suffix(ending), path.with_suffix(".test.csv")
