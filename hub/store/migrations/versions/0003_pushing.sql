-- Stock truth: pushing.

-- Units, as the listing sells them, that the channel itself holds reserved and takes off the number it is told, as last
-- read there. Always 0 where a channel is told availability.
ALTER TABLE stock_slot ADD COLUMN reserved_there integer NOT NULL DEFAULT 0 CHECK (reserved_there >= 0);
