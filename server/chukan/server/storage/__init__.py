# SPDX-License-Identifier: Apache-2.0
"""Tables and stores of middle server and network core; the only place of the server that knows SQL."""
