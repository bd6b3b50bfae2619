"""Where what came is kept, in one file of the data folder."""
