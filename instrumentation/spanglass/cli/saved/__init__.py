"""Commands about what readers save: views of pages, and pinned traces."""
