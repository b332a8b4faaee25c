-- +goose Up
-- Which batch was written last by whoever holds the lease, or by a partition: one
-- row each, 0 for a run that is not divided. It is written with the batch, so that
-- whoever lost the answer to a commit can ask whether it was done.
CREATE TABLE IF NOT EXISTS last_batch (
    part  INT    NOT NULL PRIMARY KEY,
    batch BIGINT NOT NULL
) ENGINE = InnoDB;

-- +goose Down
SELECT 1;
