-- +goose Up
-- The register. Times are milliseconds since 1970 in UTC; sealed columns are
-- ciphertext that this database cannot open.

-- One row a customer. num is dense and grows, so that new customers append to
-- the table; id is the provider's, compared bytewise.
CREATE TABLE customers (
    num            INTEGER PRIMARY KEY,
    id             TEXT    NOT NULL,
    registered_at  INTEGER NOT NULL,
    favorite_color TEXT    NOT NULL,
    car            TEXT    NOT NULL,
    car_model      TEXT    NOT NULL,
    car_type       TEXT    NOT NULL,
    car_color      TEXT    NOT NULL,
    purchases      INTEGER NOT NULL,
    personal       BLOB    NOT NULL,
    financial      BLOB    NOT NULL,
    personal_key   INTEGER NOT NULL,
    financial_key  INTEGER NOT NULL,
    fingerprint    BLOB    NOT NULL,
    ix_user_name   BLOB    NOT NULL,
    ix_card        BLOB    NOT NULL,
    ix_account     BLOB    NOT NULL,
    ix_ip          BLOB    NOT NULL,
    ix_zip         BLOB    NOT NULL,
    updated_at     INTEGER NOT NULL,
    deleted_at     INTEGER
) STRICT;
CREATE UNIQUE INDEX customers_id ON customers (id);
CREATE INDEX customers_user_name ON customers (ix_user_name);
CREATE INDEX customers_card ON customers (ix_card);
CREATE INDEX customers_account ON customers (ix_account);
CREATE INDEX customers_ip ON customers (ix_ip);
CREATE INDEX customers_zip ON customers (ix_zip);

-- Rejected records, sealed. customer_id is empty where the record names none.
CREATE TABLE quarantine (
    id          TEXT    PRIMARY KEY,
    customer_id TEXT    NOT NULL,
    reasons     TEXT    NOT NULL, -- JSON array
    run_id      TEXT    NOT NULL,
    first_seen  INTEGER NOT NULL,
    last_seen   INTEGER NOT NULL,
    count       INTEGER NOT NULL,
    record      BLOB    NOT NULL,
    key_id      INTEGER NOT NULL
) STRICT;
CREATE INDEX quarantine_customer ON quarantine (customer_id);

CREATE TABLE runs (
    id         TEXT    PRIMARY KEY,
    outcome    TEXT    NOT NULL,
    started_at INTEGER NOT NULL,
    report     TEXT    NOT NULL -- JSON
) STRICT;
CREATE INDEX runs_started ON runs (started_at);

-- The checkpoint of the pass that did not end, one row, and what it saw.
CREATE TABLE checkpoint (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    run_id   TEXT    NOT NULL,
    source   TEXT    NOT NULL,
    place    TEXT    NOT NULL,
    saved_at INTEGER NOT NULL
) STRICT;
CREATE TABLE checkpoint_seen (
    part INTEGER PRIMARY KEY,
    seen BLOB NOT NULL
) STRICT;

-- The lease, one row. token is the fencing token.
CREATE TABLE lease (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    holder     TEXT    NOT NULL,
    token      INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
INSERT INTO lease (one, holder, token, expires_at) VALUES (1, '', 0, 0);

-- Data keys, wrapped. Of the purposes that all runs share there is one each.
CREATE TABLE data_keys (
    id         INTEGER PRIMARY KEY,
    purpose    TEXT    NOT NULL,
    grp        TEXT    NOT NULL,
    wrapped    BLOB    NOT NULL,
    kek        TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    messages   INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX data_keys_shared ON data_keys (purpose, grp) WHERE purpose <> 'seal';

CREATE TABLE tokens (
    id         TEXT    PRIMARY KEY,
    name       TEXT    NOT NULL,
    role       TEXT    NOT NULL,
    hash       BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;

-- The audit chain; rows are only ever added.
CREATE TABLE audit (
    seq        INTEGER PRIMARY KEY,
    time       INTEGER NOT NULL,
    principal  TEXT    NOT NULL,
    role       TEXT    NOT NULL,
    action     TEXT    NOT NULL,
    customers  TEXT    NOT NULL, -- JSON array
    fields     TEXT    NOT NULL, -- JSON array
    purpose    TEXT    NOT NULL,
    outcome    TEXT    NOT NULL,
    request_id TEXT    NOT NULL,
    prev       BLOB    NOT NULL,
    hash       BLOB    NOT NULL
) STRICT;
CREATE INDEX audit_principal ON audit (principal, seq);

-- +goose Down
SELECT 1;
