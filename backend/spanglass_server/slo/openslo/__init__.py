"""Objectives of OpenSLO files, taken over as far as they can be said as ours."""
