# SPDX-License-Identifier: Apache-2.0
"""The product's tables and indexes that the floors write, as plain SQL; a test compares them with a real database."""

from __future__ import annotations

from typing import Final

EXCHANGE: Final = """
CREATE TABLE change_sequence (name TEXT PRIMARY KEY, last BIGINT NOT NULL) WITHOUT ROWID;
CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, organization TEXT, kind TEXT, key TEXT, payload BLOB,
  attempts INTEGER, created BIGINT, due BIGINT, last_reason TEXT);
CREATE INDEX outbox_lane ON outbox (organization, kind, due, id, created);
CREATE INDEX outbox_key ON outbox (organization, kind, key, due) WHERE key <> '';
CREATE TABLE inquiry (organization TEXT, id BIGINT, record_id TEXT, spec_digest BLOB, sealed BLOB, addressee BIGINT,
  exchange BLOB, state INTEGER, answer_kind INTEGER, reason TEXT, permission_row TEXT, legal_basis TEXT,
  permit_digest BLOB, accepted BIGINT, finished BIGINT, expires BIGINT, due BIGINT, result_expires BIGINT,
  acknowledged BIGINT, change_seq BIGINT, PRIMARY KEY (organization, id)) WITHOUT ROWID;
CREATE UNIQUE INDEX inquiry_record ON inquiry (organization, record_id);
CREATE INDEX inquiry_change ON inquiry (organization, change_seq);
CREATE INDEX inquiry_due ON inquiry (due) WHERE state <= 3;
CREATE TABLE inquiry_result (organization TEXT, id BIGINT, content BLOB, provided BIGINT, expires BIGINT,
  PRIMARY KEY (organization, id));
CREATE INDEX inquiry_result_expiry ON inquiry_result (expires);
CREATE TABLE exchange_record (organization TEXT, id BIGINT, side INTEGER, exchange BLOB, permit_digest BLOB,
  inquirer TEXT, provider TEXT, affair TEXT, procedure TEXT, information TEXT, inquirer_delegator TEXT,
  provider_delegator TEXT, mode INTEGER, addressee BIGINT, inquired BIGINT, provided BIGINT,
  outcome INTEGER, reason TEXT, undisclosable BOOLEAN, items INTEGER, legal_basis TEXT,
  permission_row TEXT, receipt TEXT, change_seq BIGINT, PRIMARY KEY (organization, id));
CREATE INDEX exchange_record_exchange ON exchange_record (organization, exchange);
CREATE INDEX exchange_record_addressee ON exchange_record (organization, addressee);
CREATE INDEX exchange_record_change ON exchange_record (organization, change_seq);
CREATE TABLE answer_batch (organization TEXT, id BIGINT, root BLOB, inquirer TEXT, batch BLOB, group_keys BLOB,
  created BIGINT, PRIMARY KEY (organization, id));
CREATE TABLE permit_nonce (organization TEXT, nonce BLOB, permit_digest BLOB, expires BIGINT,
  PRIMARY KEY (organization, nonce)) WITHOUT ROWID;
CREATE INDEX permit_nonce_expiry ON permit_nonce (expires);
CREATE TABLE provision (organization TEXT, id BIGINT, permit_digest BLOB, state INTEGER, answer_kind INTEGER,
  reason TEXT, received BIGINT, provided BIGINT, batch BIGINT, position INTEGER, change_seq BIGINT, note BLOB,
  PRIMARY KEY (organization, id)) WITHOUT ROWID;
CREATE INDEX provision_change ON provision (organization, change_seq);
CREATE TABLE network_request (id INTEGER PRIMARY KEY, inquirer TEXT, digest BLOB, statement BLOB);
CREATE TABLE network_exchange (id INTEGER PRIMARY KEY, digest BLOB, request BIGINT, inquirer TEXT, provider TEXT,
  affair TEXT, procedure TEXT, information TEXT, inquiry_time BIGINT, expire_time BIGINT, provision_time BIGINT,
  outcome INTEGER, reason TEXT, undisclosable BOOLEAN, permission_row TEXT, legal_basis TEXT, permit_digest BLOB,
  provider_commitment BIGINT, inquirer_commitment BIGINT);
CREATE UNIQUE INDEX network_exchange_digest ON network_exchange (digest);
CREATE INDEX network_exchange_inquirer ON network_exchange (inquirer, id);
CREATE INDEX network_exchange_provider ON network_exchange (provider, id);
CREATE INDEX network_exchange_half ON network_exchange (id) WHERE provider_commitment <> 0 AND inquirer_commitment = 0;
CREATE TABLE network_permit (exchange INTEGER PRIMARY KEY, expire BIGINT, leaf BLOB);
CREATE INDEX network_permit_expire ON network_permit (expire);
CREATE TABLE network_commitment (id INTEGER PRIMARY KEY, organization TEXT, statement BLOB, leaves BLOB);
"""
"""What one exchange writes."""

ADDRESSEE: Final = """
CREATE TABLE addressee (id INTEGER PRIMARY KEY, organization TEXT, number_digest BLOB, number BLOB, state INTEGER,
  nondisclosure INTEGER, self_information_disabled INTEGER, auto_response_disabled TEXT, merged_into BIGINT,
  linkage_state INTEGER, processing_digest BLOB, processing_number BLOB, processing_expires BIGINT,
  failure_reason TEXT, code_digest BLOB, code BLOB, requested BIGINT, linked BIGINT, created BIGINT, updated BIGINT,
  change_seq BIGINT);
CREATE UNIQUE INDEX addressee_number ON addressee (number_digest);
CREATE INDEX addressee_change ON addressee (organization, change_seq);
CREATE UNIQUE INDEX addressee_code ON addressee (code_digest) WHERE code_digest IS NOT NULL;
CREATE UNIQUE INDEX addressee_processing ON addressee (processing_digest)
  WHERE processing_digest IS NOT NULL;
CREATE INDEX addressee_processing_expiry ON addressee (processing_expires) WHERE processing_digest IS NOT NULL;
"""

REPLICA: Final = """
CREATE TABLE replica (organization TEXT, information TEXT, addressee BIGINT, data_set TEXT, record_key TEXT,
  version INTEGER, parent_key TEXT, shape INTEGER, record_id TEXT, start_date TEXT, end_date TEXT, state INTEGER,
  delete_reason TEXT, ward_code TEXT, updated BIGINT, content BLOB,
  PRIMARY KEY (organization, information, addressee, data_set, record_key)) WITHOUT ROWID;
CREATE TABLE replica_record (organization TEXT, record_id TEXT, digest BLOB, PRIMARY KEY (organization, record_id))
  WITHOUT ROWID;
CREATE TABLE replica_import (id INTEGER PRIMARY KEY, organization TEXT, system TEXT, batch_id TEXT, information TEXT,
  data_set TEXT, edition TEXT, body_digest BLOB, state INTEGER, outcomes BLOB, failures TEXT, created BIGINT,
  change_seq BIGINT);
CREATE UNIQUE INDEX replica_import_batch ON replica_import (organization, system, batch_id);
"""

RESIDENT: Final = """
CREATE TABLE network_resident (id INTEGER PRIMARY KEY, number_digest BLOB, content_digest BLOB, name_key BIGINT,
  place_key BIGINT, code_digest BLOB, identity BLOB);
CREATE UNIQUE INDEX network_resident_number ON network_resident (number_digest);
CREATE INDEX network_resident_name ON network_resident (name_key);
CREATE INDEX network_resident_place ON network_resident (place_key);
CREATE UNIQUE INDEX network_resident_code ON network_resident (code_digest) WHERE code_digest IS NOT NULL;
"""

PEOPLE: Final = """
CREATE TABLE person (id INTEGER PRIMARY KEY, organization TEXT, individual_digest BLOB, individual_number BLOB,
  attributes BLOB, birth_key BIGINT, merged_into BIGINT, created BIGINT, updated BIGINT);
CREATE UNIQUE INDEX person_individual_number ON person (individual_digest) WHERE individual_digest IS NOT NULL;
CREATE INDEX person_birth ON person (birth_key);
CREATE INDEX person_unnumbered ON person (id) WHERE individual_digest IS NULL;
CREATE INDEX person_unnumbered_birth ON person (birth_key) WHERE individual_digest IS NULL;
CREATE INDEX person_merged ON person (merged_into) WHERE merged_into > 0;
CREATE INDEX person_merged_list ON person (id) WHERE merged_into > 0;
CREATE TABLE local_number (id INTEGER PRIMARY KEY, organization TEXT, digest BLOB, person BIGINT, number BLOB,
  content BLOB, superseded INTEGER);
CREATE UNIQUE INDEX local_number_key ON local_number (digest);
CREATE INDEX local_number_person ON local_number (person);
"""

CODES: Final = """
CREATE TABLE network_linkage_code (organization TEXT, resident BIGINT, code_digest BLOB, code BLOB,
  PRIMARY KEY (organization, resident)) WITHOUT ROWID;
CREATE UNIQUE INDEX network_linkage_code_digest ON network_linkage_code (code_digest);
CREATE TABLE network_processing_number (id INTEGER PRIMARY KEY, organization TEXT, token TEXT, secret TEXT,
  state INTEGER, resident BIGINT, reason TEXT, expire BIGINT);
CREATE UNIQUE INDEX network_processing_number_token ON network_processing_number (token, organization);
CREATE INDEX network_processing_number_expire ON network_processing_number (expire) WHERE secret <> '';
"""
