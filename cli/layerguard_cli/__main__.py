"""``python -m layerguard``: the command line."""

import sys

from layerguard_cli import main

sys.exit(main())
