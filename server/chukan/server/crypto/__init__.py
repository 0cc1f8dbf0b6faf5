# SPDX-License-Identifier: Apache-2.0
"""Keys, signatures, seals and certificates of the exchange; works on bytes only."""
