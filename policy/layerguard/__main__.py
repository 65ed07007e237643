"""``python -m layerguard``: the command line."""

import sys

from layerguard.cli import main

sys.exit(main())
