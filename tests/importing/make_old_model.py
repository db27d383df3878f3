"""Make ``data/reservoirpy_0_3.npz``: a model of an old version, and what it gave.

pip install --no-deps --target OLD reservoirpy==0.3.15 dill tqdm
PYTHONPATH=OLD:. python -m tests.importing.make_old_model
"""

import pickle
from pathlib import Path

import numpy as np

__all__ = ["PLACE"]

PLACE = Path(__file__).parent / "data" / "reservoirpy_0_3.npz"


def _make() -> None:
    import reservoirpy
    from reservoirpy.nodes import Input, Reservoir, Ridge

    assert reservoirpy.__version__.startswith("0.3.")
    reservoirpy.verbosity(0)
    series = np.sin(np.arange(121) / 5.0)[:, None]
    source, reservoir = Input(), Reservoir(6, lr=0.5, sr=0.9, seed=1, rc_connectivity=0.5)
    model = [source >> reservoir, source] >> Ridge(ridge=1e-3)
    model.fit(series[:-1], series[1:], warmup=10)
    for node in model.nodes:
        node.reset()
    outputs = model.run(series, reset=True)
    content = np.frombuffer(pickle.dumps(model), dtype=np.uint8)
    np.savez_compressed(PLACE, model=content, inputs=series, outputs=outputs)


if __name__ == "__main__":
    _make()
