# SPDX-License-Identifier: Apache-2.0
"""The information provision network (情報提供ネットワークシステム), simulated, with the front of the resident network."""
