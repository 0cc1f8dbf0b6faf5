# SPDX-License-Identifier: Apache-2.0
"""Servicers and clients: convert, call one use case, convert."""
