# SPDX-License-Identifier: Apache-2.0
"""What happens after a commit: outbox rows become the steps of an exchange."""
