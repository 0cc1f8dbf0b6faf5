# SPDX-License-Identifier: Apache-2.0
"""What all sides share: numbers, codes, dates, characters, organizations, layouts, the permission list and the reasons.

Pure Python that imports nothing else of the project. Everything that may change with a year or a body is data.
"""
