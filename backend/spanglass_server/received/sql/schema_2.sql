-- The instant of the first bytes, in nanoseconds since 1970: the hour they came in counts from it on.
CREATE TABLE began (since_ns INTEGER NOT NULL);
