"""The pages of reports: all of them with a form that asks for one, and one."""
