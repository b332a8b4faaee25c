-- +goose Up
-- The register. Times are milliseconds since 1970 in UTC; sealed columns are
-- ciphertext that this database cannot open. Texts that are compared are
-- VARBINARY: bytewise, with trailing spaces, on every server. MySQL commits
-- each statement of a migration by itself, so that each may run again.

-- One row a customer. num is dense and grows, so that new customers append to
-- the table; id is the provider's, at most 64 characters.
CREATE TABLE IF NOT EXISTS customers (
    num            INT UNSIGNED    NOT NULL PRIMARY KEY,
    id             VARBINARY(256)  NOT NULL,
    registered_at  BIGINT          NOT NULL,
    favorite_color VARBINARY(1024) NOT NULL,
    car            VARBINARY(1024) NOT NULL,
    car_model      VARBINARY(1024) NOT NULL,
    car_type       VARBINARY(1024) NOT NULL,
    car_color      VARBINARY(1024) NOT NULL,
    purchases      BIGINT          NOT NULL,
    personal       BLOB            NOT NULL,
    financial      BLOB            NOT NULL,
    personal_key   BIGINT          NOT NULL,
    financial_key  BIGINT          NOT NULL,
    fingerprint    BINARY(16)      NOT NULL,
    ix_user_name   BINARY(16)      NOT NULL,
    ix_card        BINARY(16)      NOT NULL,
    ix_account     BINARY(16)      NOT NULL,
    ix_ip          BINARY(16)      NOT NULL,
    ix_zip         BINARY(16)      NOT NULL,
    updated_at     BIGINT          NOT NULL,
    deleted_at     BIGINT          NULL,
    UNIQUE KEY customers_id (id),
    KEY customers_user_name (ix_user_name),
    KEY customers_card (ix_card),
    KEY customers_account (ix_account),
    KEY customers_ip (ix_ip),
    KEY customers_zip (ix_zip)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Rejected records, sealed. customer_id is empty where the record names none.
CREATE TABLE IF NOT EXISTS quarantine (
    id          VARBINARY(128) NOT NULL PRIMARY KEY,
    customer_id VARBINARY(256) NOT NULL,
    reasons     TEXT           NOT NULL, -- JSON array
    run_id      VARBINARY(128) NOT NULL,
    first_seen  BIGINT         NOT NULL,
    last_seen   BIGINT         NOT NULL,
    count       BIGINT         NOT NULL,
    record      LONGBLOB       NOT NULL,
    key_id      BIGINT         NOT NULL,
    KEY quarantine_customer (customer_id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS runs (
    id         VARBINARY(128) NOT NULL PRIMARY KEY,
    outcome    VARBINARY(32)  NOT NULL,
    started_at BIGINT         NOT NULL,
    report     MEDIUMTEXT     NOT NULL, -- JSON
    KEY runs_started (started_at, id),
    KEY runs_outcome (outcome)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The checkpoint of the pass that did not end, one row, and what it saw.
CREATE TABLE IF NOT EXISTS checkpoint (
    one      INT    NOT NULL PRIMARY KEY,
    run_id   TEXT   NOT NULL,
    source   TEXT   NOT NULL,
    place    TEXT   NOT NULL,
    saved_at BIGINT NOT NULL
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE TABLE IF NOT EXISTS checkpoint_seen (
    part BIGINT   NOT NULL AUTO_INCREMENT PRIMARY KEY,
    seen LONGBLOB NOT NULL
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The lease, one row. token is the fencing token; every write of a run locks
-- the row first.
CREATE TABLE IF NOT EXISTS lease (
    one        INT    NOT NULL PRIMARY KEY,
    holder     TEXT   NOT NULL,
    token      BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
INSERT IGNORE INTO lease (one, holder, token, expires_at) VALUES (1, '', 0, 0);

-- Data keys, wrapped. shared is NULL for keys of the purpose "seal", and else
-- purpose and group, of which there is one key each.
CREATE TABLE IF NOT EXISTS data_keys (
    id         BIGINT         NOT NULL PRIMARY KEY,
    purpose    VARBINARY(64)  NOT NULL,
    grp        VARBINARY(64)  NOT NULL,
    wrapped    BLOB           NOT NULL,
    kek        TEXT           NOT NULL,
    created_at BIGINT         NOT NULL,
    messages   BIGINT         NOT NULL,
    shared     VARBINARY(128) NULL,
    UNIQUE KEY data_keys_shared (shared)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS tokens (
    id         VARBINARY(128) NOT NULL PRIMARY KEY,
    name       TEXT           NOT NULL,
    role       VARBINARY(32)  NOT NULL,
    hash       BINARY(32)     NOT NULL,
    created_at BIGINT         NOT NULL,
    expires_at BIGINT         NOT NULL,
    revoked_at BIGINT         NULL
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The audit chain; rows are only ever added.
CREATE TABLE IF NOT EXISTS audit (
    seq        BIGINT          NOT NULL PRIMARY KEY,
    time       BIGINT          NOT NULL,
    principal  VARBINARY(1024) NOT NULL,
    role       VARBINARY(32)   NOT NULL,
    action     VARBINARY(64)   NOT NULL,
    customers  MEDIUMTEXT      NOT NULL, -- JSON array
    fields     TEXT            NOT NULL, -- JSON array
    purpose    TEXT            NOT NULL,
    outcome    VARBINARY(32)   NOT NULL,
    request_id TEXT            NOT NULL,
    prev       BINARY(32)      NOT NULL,
    hash       BINARY(32)      NOT NULL,
    KEY audit_principal (principal, seq)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- One row, to be locked by whoever adds to the chain.
CREATE TABLE IF NOT EXISTS audit_turn (
    one INT NOT NULL PRIMARY KEY
) ENGINE = InnoDB;
INSERT IGNORE INTO audit_turn (one) VALUES (1);

-- +goose Down
SELECT 1;
