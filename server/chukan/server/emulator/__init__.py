# SPDX-License-Identifier: Apache-2.0
"""What only an emulator has: worlds beside the persistent one, clocks that can be moved, faults."""
