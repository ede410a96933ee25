"""Twilio and carriers like it: webhooks, TwiML, the media stream, the REST interface."""
