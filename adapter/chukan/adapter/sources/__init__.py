# SPDX-License-Identifier: Apache-2.0
"""Files of business systems as rows: encodings, delimited text, faults that name file, row and rule."""

from chukan.adapter.sources.delimited import DelimitedFile
from chukan.adapter.sources.encoding import Encoding, detect
from chukan.adapter.sources.faults import RowFault
from chukan.adapter.sources.lines import Chunk

__all__ = ["Chunk", "DelimitedFile", "Encoding", "RowFault", "detect"]
