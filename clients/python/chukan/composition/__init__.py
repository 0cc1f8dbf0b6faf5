# SPDX-License-Identifier: Apache-2.0
"""What one process holds: middle servers, network and address systems, worlds beside them, on their ports.

The command line's `serve` and the test plugin's emulator are both made here; nothing else imports it.
"""
