# SPDX-License-Identifier: Apache-2.0
"""What one organization's middle server does, a file per interface family."""
