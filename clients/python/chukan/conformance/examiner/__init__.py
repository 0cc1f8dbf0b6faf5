# SPDX-License-Identifier: Apache-2.0
"""The other side of the kit: a scripted middle server that examines a client, such as an address system's adapter.

It answers with what the cases say, literally, and judges the calls it got and the files the client wrote. Whatever
the client is written in, it is a command, or a person who is told what to make it do.
"""
