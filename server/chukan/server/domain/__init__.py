# SPDX-License-Identifier: Apache-2.0
"""Frozen values and pure rules; knows no gRPC, database or clock of its own."""
