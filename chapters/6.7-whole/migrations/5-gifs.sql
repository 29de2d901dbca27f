-- A message is a text or a GIF: the name of a file in the folder `gifs`. Then `chat` is empty.
ALTER TABLE message ADD COLUMN gif TEXT;
