"""Statistics over tables of outcomes; nothing here simulates."""
