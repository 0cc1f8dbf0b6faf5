# SPDX-License-Identifier: Apache-2.0
"""The parts of `chukan.server.app`: foundation, network side, middle-server side, services of later versions."""
