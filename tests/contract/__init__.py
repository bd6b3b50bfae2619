"""One suite for every engine, over real servers: what a `model.json` may count on."""
