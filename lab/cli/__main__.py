"""`python -m lab.cli`: the same as the command `swarmlab`."""

import sys

from lab.cli import main

sys.exit(main())
