# SPDX-License-Identifier: Apache-2.0
"""The adapter: reads what business systems write, converts, maps and sends it over gRPC like any foreign client."""
