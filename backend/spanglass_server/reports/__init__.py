"""Reports: what a team looks at weekly, made of the API's answers, kept, and written in several forms."""
