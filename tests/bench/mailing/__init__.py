"""Sending mails: ours against a stock Django loop, and against ready-made messages over a pipelined line."""
