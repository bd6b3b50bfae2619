"""What engines behind HTTP share."""
