"""The inside of one worker: patch, load, serve, drain."""
