-- +goose Up
-- The plan of a run that is divided among processes, one row. token is that of
-- the lease; next_num is the next customer number to give.
CREATE TABLE division (
    one       INTEGER PRIMARY KEY CHECK (one = 1),
    run_id    TEXT    NOT NULL,
    token     INTEGER NOT NULL,
    finishing INTEGER NOT NULL,
    source    TEXT    NOT NULL,
    whole     INTEGER NOT NULL,
    next_num  INTEGER NOT NULL
) STRICT;

-- Its partitions, how far each is, and what each has seen.
CREATE TABLE division_part (
    part       INTEGER PRIMARY KEY,
    first_page INTEGER NOT NULL,
    end_page   INTEGER NOT NULL,
    attempt    INTEGER NOT NULL,
    place      TEXT    NOT NULL,
    done       INTEGER NOT NULL,
    report     TEXT    NOT NULL -- JSON
) STRICT;
CREATE TABLE division_seen (
    entry INTEGER PRIMARY KEY,
    part  INTEGER NOT NULL,
    seen  BLOB    NOT NULL
) STRICT;

-- +goose Down
DROP TABLE division_seen;
DROP TABLE division_part;
DROP TABLE division;
