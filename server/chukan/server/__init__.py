# SPDX-License-Identifier: Apache-2.0
"""The middle server (中間サーバー) and the information provision network."""
