-- The rooms. Who is in them is no business of a file: it changes with every click, and
-- after a restart nobody is.
CREATE TABLE room (
    id         TEXT PRIMARY KEY,
    title      TEXT NOT NULL,
    max        INTEGER NOT NULL,
    -- RFC 3339, in UTC.
    created_at TEXT NOT NULL
) STRICT;
