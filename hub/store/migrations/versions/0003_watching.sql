-- Watching: until when a carrier tells of a parcel by itself, where it must be asked to for each.
ALTER TABLE shipment_leg ADD COLUMN watched_until timestamptz;
