"""The proofs room: what a policy and the kernel can and cannot allow.

In: policies. Out: theorems with counterexamples, differences, boundary cases, receipts. Called by the command line, the
control plane and tests; nothing here runs during a call.
"""
