-- Of too many findings those go that were seen longest ago; those that somebody dismissed go last.
DELETE FROM findings WHERE id IN (
    SELECT id FROM findings ORDER BY state = 'dismissed' DESC, last_ns DESC, id DESC LIMIT -1 OFFSET :most
);
