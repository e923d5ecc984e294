-- The rows of one user or session, if one is asked for.
(SELECT * FROM {relation} WHERE {asked})
