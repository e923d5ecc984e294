"""What readers save: views in the navigation of every page, and the pages of views and of pinned traces."""
