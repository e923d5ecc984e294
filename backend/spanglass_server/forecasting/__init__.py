"""Where series are going: slopes, seasons, level shifts, forecasts with intervals, and when a bound is met.

Pure functions over many series at once. ``values`` has the shape (series, steps): one row for each series, all of them
on one grid of times with equal steps, the latest last; NaN where nothing is known. Nothing here reads or keeps data.
"""
