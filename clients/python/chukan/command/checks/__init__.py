# SPDX-License-Identifier: Apache-2.0
"""What `chukan doctor` looks at, a module per part of a set-up."""
