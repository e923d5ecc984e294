"""How costs grow with what is stored: loading a hundred million spans, asking about them, drawing what was measured."""
