"""What retention may not delete: rows of pinned traces."""
