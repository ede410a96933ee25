"""The ledger: streams of hash-chained records, spent grants and blobs, written once and never changed."""

from voicewarden.ledger.spent import Claim
from voicewarden.ledger.store import Ledger
from voicewarden.ledger.verify import Problem, Verification, verify
from voicewarden.ledger.view import LedgerView

__all__ = ["Claim", "Ledger", "LedgerView", "Problem", "Verification", "verify"]
