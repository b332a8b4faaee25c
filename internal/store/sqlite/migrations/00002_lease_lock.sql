-- +goose Up
-- Whether the lease's holder has the file lock too: only then does a free lock
-- mean that the holder is dead.
ALTER TABLE lease ADD COLUMN locked INTEGER NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE lease DROP COLUMN locked;
