"""The pages of incidents: their list and report, one incident, its postmortem."""
