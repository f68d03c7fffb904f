"""askmask: say which mask you mean."""
