"""Where the time of spans goes: how durations are distributed, and what operations are made of."""
