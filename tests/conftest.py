# SPDX-License-Identifier: Apache-2.0
"""What holds for every test.

Found examples are judged by what comes out, not by how long a busy machine took. What a test starts can be ended by a
signal, though whoever started the tests ignores some (a shell's &, nohup).
"""

from __future__ import annotations

import signal

from hypothesis import settings

settings.register_profile("chukan", deadline=None)
settings.load_profile("chukan")

for _number, _handler in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGTERM, signal.SIG_DFL),
    (signal.SIGHUP, signal.SIG_DFL),
):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _handler)
