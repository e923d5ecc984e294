"""The data that PromQL works on, in columns: label sets, samples, vectors, native histograms."""
