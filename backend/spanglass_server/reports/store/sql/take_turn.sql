-- nothing where the schedule was deleted or changed meanwhile, or has had this turn
UPDATE schedules SET next_ns = :next_ns WHERE id = :schedule AND next_ns = :due_ns
