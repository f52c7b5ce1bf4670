"""MLflow: which runs there should be, the one writer, the stores and servers."""
