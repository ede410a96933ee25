"""One module a group of facts: each folds the events that concern it into its part of the authority state."""
