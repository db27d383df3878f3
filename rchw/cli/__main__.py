"""``python -m rchw.cli`` is ``rchw``."""

import sys

from rchw.cli import main

if __name__ == "__main__":
    sys.exit(main())
