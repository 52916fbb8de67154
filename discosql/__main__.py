"""``python -m discosql``: the discosql command."""

import sys

from discosql.cli.main import main

sys.exit(main())
