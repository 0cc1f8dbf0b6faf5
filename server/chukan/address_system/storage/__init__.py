# SPDX-License-Identifier: Apache-2.0
"""Tables and stores of the address system."""
