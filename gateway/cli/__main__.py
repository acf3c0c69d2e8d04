"""`python -m gateway.cli`: the same as `tocsin`."""

import sys

from gateway.cli import main

sys.exit(main())
