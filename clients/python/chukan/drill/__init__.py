# SPDX-License-Identifier: Apache-2.0
"""Alert drills: a fault is injected into an emulator under load; the shipped alert must reach a webhook, and go again.

It calls the emulator as any client does and knows nothing of how the server is made; who starts the server hands it in.
"""
