"""What the rules of the workflow run: one thin module per stage."""
