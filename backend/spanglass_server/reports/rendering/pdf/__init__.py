"""Reports as PDF, by ReportLab, which is imported when one is asked for."""
