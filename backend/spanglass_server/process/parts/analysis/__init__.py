"""What watches and sums up what is stored: findings, trends, anomalies, objectives, reports."""
