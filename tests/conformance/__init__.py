# SPDX-License-Identifier: Apache-2.0
"""The conformance kit against our own emulator, and against broken ones."""
