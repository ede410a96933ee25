"""Audio in, measurements out, without pipecat: voice, cadence, tones, and words with their confidence."""
