"""Side by side with peers: the same small app under several servers, measured in one run."""
