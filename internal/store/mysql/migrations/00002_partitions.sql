-- +goose Up
-- The plan of a run that is divided among processes, one row. token is that of
-- the lease; next_num is the next customer number to give.
CREATE TABLE IF NOT EXISTS division (
    one       INT            NOT NULL PRIMARY KEY,
    run_id    VARBINARY(128) NOT NULL,
    token     BIGINT         NOT NULL,
    finishing INT            NOT NULL,
    source    TEXT           NOT NULL,
    whole     INT            NOT NULL,
    next_num  BIGINT         NOT NULL
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Its partitions, how far each is, and what each has seen.
CREATE TABLE IF NOT EXISTS division_part (
    part       INT        NOT NULL PRIMARY KEY,
    first_page BIGINT     NOT NULL,
    end_page   BIGINT     NOT NULL,
    attempt    BIGINT     NOT NULL,
    place      TEXT       NOT NULL,
    done       INT        NOT NULL,
    report     MEDIUMTEXT NOT NULL -- JSON
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE TABLE IF NOT EXISTS division_seen (
    entry BIGINT   NOT NULL AUTO_INCREMENT PRIMARY KEY,
    part  INT      NOT NULL,
    seen  LONGBLOB NOT NULL,
    KEY division_seen_part (part)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- +goose Down
SELECT 1;
