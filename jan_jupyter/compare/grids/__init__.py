"""What is asked of whom, in every form in which people say it."""
