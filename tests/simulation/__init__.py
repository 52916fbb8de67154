"""Many processes over a service that lags, loses and repeats, on virtual time: the real storage code, checked whole.

`loop` has the event loop whose clock jumps; `server` and `process` are the service and its clients; `clients` are the
programs that commit and read; `ledger` knows what the log says, whoever read what of it, and judges; `history` keeps
what happened, for people; `modes` and `runs` put it together; `rules` switches rules of the protocol off.
"""
