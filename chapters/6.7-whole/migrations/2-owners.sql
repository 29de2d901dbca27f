-- Who made a room: a visitor's id. It never leaves the server. Rooms from before there were
-- visitors belong to nobody.
ALTER TABLE room ADD COLUMN owner TEXT;
