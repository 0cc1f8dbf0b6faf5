# SPDX-License-Identifier: Apache-2.0
"""`python -m chukan.command` is `chukan`."""

from chukan.command import main

if __name__ == "__main__":
    main()
