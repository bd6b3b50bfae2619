"""What answers are worth: scorers, judges, votes."""
