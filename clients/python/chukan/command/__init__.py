# SPDX-License-Identifier: Apache-2.0
"""The one `chukan` command.

Nothing heavy is imported before it is known what is asked: `chukan serve` starts without the command-line library, and
every other command imports its group only.
"""

from __future__ import annotations

import gc
import sys
from io import TextIOWrapper

__all__ = ["main"]


def main() -> None:
    """Run the command line this process was started with and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # an output without Japanese is no reason to break off
    arguments = sys.argv[1:]
    if arguments[:1] == ["serve"]:
        gc.disable()  # while modules are loaded there is nothing to collect; composition enables it

        from chukan.command.serve_options import parsed

        flags = parsed(arguments[1:])
        if flags is not None:
            from chukan.command.serving import serve

            sys.exit(serve(flags))
        gc.enable()
    from chukan.command.root import run

    run(arguments)
