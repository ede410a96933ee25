"""Fitting the weights of who answered: labelled clips in, `config/calibration/answerer.yaml` out."""
