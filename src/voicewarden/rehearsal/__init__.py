"""The world to practise in: carrier simulator, recorded callers, scripted model, demo; no product room imports it."""
