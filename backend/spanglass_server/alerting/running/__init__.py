"""What runs while nobody looks: ticks, alerts that they lead to, and what the alerter knows of itself."""
