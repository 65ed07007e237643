"""``python -m layerguard_cli``: the command line."""

import sys

from layerguard_cli import main

sys.exit(main())
