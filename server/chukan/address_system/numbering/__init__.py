# SPDX-License-Identifier: Apache-2.0
"""What the address system does, a module per family of calls."""
