"""Faults that take minutes: the whole portal runs, and its processes are killed. `make test-faults` runs these.

Where each fault of a message's way is shown (tests/notifications unless said otherwise; those here among them):

killed before, after its claim, or between the provider's answer and ours   test_killed, test_leases, test_deliver
a letter sent twice is known as one                                         test_deliver, test_smtp_pool
Redis flushed, killed, frozen                                               here, test_relay, tests/portal/test_no_redis
PostgreSQL killed, read-only                                                here, test_relay, test_read_only
a code behind a broadcast                                                   tests/benchmarks/draining.py
the first SMS company silent, failing, without our template                 test_failover, test_carriers
no credit                                                                   test_out_of_credit
blocked at the operator                                                     test_receipts, test_messages_pages
receipts repeated, reordered, forged                                        test_push_hook, test_receipts
mail refused for now, for good, dropped after the letter, come back         test_deliver, test_smtp_pool, test_bounces
"""
