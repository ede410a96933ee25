"""The only loop: event, step, record, effect, receipt. One loop a call, events in order."""
