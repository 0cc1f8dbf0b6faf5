# SPDX-License-Identifier: Apache-2.0
"""The conformance kit: judges any server that speaks the contract, from outside, over gRPC.

It knows the generated messages and the cases (data), and nothing else of this project: neither server nor the tables
the server is made of, so that a mistake there can't hide itself here.
"""
