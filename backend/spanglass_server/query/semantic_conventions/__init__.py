"""Old and new names of the semantic conventions; which keys are numbers."""
