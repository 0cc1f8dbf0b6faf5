# SPDX-License-Identifier: Apache-2.0
"""The web console: pages that show what the public RPCs tell, and nothing else.

An ordinary client: it reaches the services over their address like everybody, reads, and never writes. It needs the
extra `console` (starlette, jinja2, uvicorn) and is imported only by a server that was asked for it.
"""

from chukan.server.console.server import ConsoleServer
from chukan.server.console.settings import ConsoleSettings

__all__ = ["ConsoleServer", "ConsoleSettings"]
