"""One trace as a tree: nodes, paths, links, times, the critical path, comparison."""
