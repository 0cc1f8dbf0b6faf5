# SPDX-License-Identifier: Apache-2.0
"""The information provision network (情報提供ネットワークシステム), simulated, and the resident network it needs."""
