"""Execute the notebooks; ``python -m tests.notebooks`` stores them again with fresh outputs."""

import base64
import io
import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from PIL import Image

__all__ = ["EXACT", "FOLDER", "NAMES", "code_cells", "execute", "figures", "printed", "stored"]

FOLDER = Path(__file__).parents[1] / "notebooks"
NAMES = (
    "1-first-reservoir",
    "2-to-integers",
    "3-to-gates",
    "4-families",
    "7-proof",
    "8-codesign",
    "9-physical",
)
EXACT = "exact"  # tag of cells that print the same on every machine: integers and what follows


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Cells that hold code."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def printed(cell: NotebookNode) -> str:
    """Return what a cell printed."""
    return "".join(o.text for o in cell.outputs if o.output_type == "stream")


def figures(cell: NotebookNode) -> int:
    """Count the drawings that a cell shows."""
    return sum(any(kind.startswith("image/") for kind in o.get("data", ())) for o in cell.outputs)


def execute(notebook: NotebookNode, folder: Path, timeout: int = 300) -> NotebookNode:
    """Run a copy of a notebook in a folder.

    Parameters
    ----------
    notebook : NotebookNode
    folder : Path
        Where it runs, and where the kernel keeps what it writes.
    timeout : int
        Seconds for one cell.

    Returns
    -------
    NotebookNode
        With the outputs of this run.

    Raises
    ------
    CellExecutionError
        If a cell raises.
    """
    environment = {k: v for k, v in os.environ.items() if k != "MPLBACKEND"}
    # One thread: on busy machines two wait for each other longer than they work.
    environment |= {"IPYTHONDIR": str(folder / "ipython"), "OPENBLAS_NUM_THREADS": "1"}
    client = NotebookClient(
        nbformat.from_dict(notebook),
        timeout=timeout,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        extra_arguments=["--log-level=ERROR"],
    )
    return client.execute(env=environment)


def _small(png: str) -> str:
    """PNG with a palette, a third of the size."""
    image = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    buffer = io.BytesIO()
    image.quantize(128, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


def stored(notebook: NotebookNode) -> NotebookNode:
    """Copy of an executed notebook as it is committed: small pictures, nothing of the machine."""
    copy = nbformat.from_dict(notebook)
    copy.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    for cell in code_cells(copy):
        cell.metadata = {key: cell.metadata[key] for key in ("tags",) if key in cell.metadata}
        for output in cell.outputs:
            data = output.get("data", {})
            if "image/png" in data:
                data["image/png"] = _small(data["image/png"])
                data.pop("image/svg+xml", None)
            if "metadata" in output:
                output["metadata"] = {}
    return copy


def main() -> int:
    """Execute and store those named on the command line, or all."""
    for name in sys.argv[1:] or NAMES:
        path = FOLDER / f"{Path(name).stem}.ipynb"
        with tempfile.TemporaryDirectory() as folder:
            done = execute(nbformat.read(path, as_version=4), Path(folder))
        nbformat.write(stored(done), path)
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
