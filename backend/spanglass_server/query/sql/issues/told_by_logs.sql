source = 1 AND record_order IN (SELECT arrival_order FROM {relation} WHERE {where})
