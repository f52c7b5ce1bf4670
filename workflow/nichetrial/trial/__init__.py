"""One chunk of mice in one arm: from events to outcomes."""
