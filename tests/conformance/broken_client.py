# SPDX-License-Identifier: Apache-2.0
"""A deliberately broken client as a program: `broken_client.py NAME FOLDER ARGUMENT…`, arguments as those of `chukan`.

The kit starts it in the folder of a case, so it finds this repository by itself.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.conformance.broken_clients import run

if __name__ == "__main__":
    sys.exit(run(*sys.argv[1:]))
