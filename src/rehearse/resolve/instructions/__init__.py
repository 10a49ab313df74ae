"""What each kind of instruction becomes in a resolved shot: one file a kind."""
