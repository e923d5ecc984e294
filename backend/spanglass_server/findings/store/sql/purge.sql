DELETE FROM sightings WHERE hour < :first_hour;
DELETE FROM durations WHERE hour < :first_hour OR (hour < :this_hour AND requests < 20);
DELETE FROM sizes WHERE hour < :first_hour OR (hour < :this_hour AND n < 5);
DELETE FROM minutes WHERE minute < :first_hour * 60;
DELETE FROM findings WHERE last_ns < :oldest_ns;
