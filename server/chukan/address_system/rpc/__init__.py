# SPDX-License-Identifier: Apache-2.0
"""The address system on the wire: its servicer, and its client of the resident network."""
