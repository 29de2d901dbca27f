-- Argon2id, as a PHC string. A room without one is public.
ALTER TABLE room ADD COLUMN password TEXT;

-- Who knew the password once. It is not asked for again, also not after a restart.
CREATE TABLE admission (
    room    TEXT NOT NULL REFERENCES room (id) ON DELETE CASCADE,
    visitor TEXT NOT NULL,
    PRIMARY KEY (room, visitor)
) STRICT, WITHOUT ROWID;
