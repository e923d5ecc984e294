-- Whether a row is of one of some tasks.
({key}) IN (SELECT ({key}) FROM {tasks})
