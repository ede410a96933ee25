"""What words mean, as pure, deterministic text functions: consent, signals, greetings, claims and honesty."""
