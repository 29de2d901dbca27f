-- What was said. In each room the numbers count from 1, without gaps: a client that misses
-- one can tell.
CREATE TABLE message (
    room       TEXT NOT NULL REFERENCES room (id) ON DELETE CASCADE,
    seq        INTEGER NOT NULL,
    id         TEXT NOT NULL,
    author     TEXT NOT NULL,
    chat       TEXT NOT NULL,
    -- RFC 3339, in UTC.
    created_at TEXT NOT NULL,
    PRIMARY KEY (room, seq)
) STRICT, WITHOUT ROWID;
