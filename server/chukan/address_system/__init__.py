# SPDX-License-Identifier: Apache-2.0
"""The integrated address system (団体内統合宛名システム): numbers people and converts their numbers.

It alone holds individual numbers (個人番号); the middle server beside it never does. Source: 共通機能標準仕様書 2.7 and
published privacy impact assessments; what is this project's own choice is in docs/divergences "Address system".
"""
