"""Clients of other projects, each in one file as a user would write it; `arms.ARMS` has them by their names.

`curl_command.py` is an arm by its path alone, since not every machine has the program.
"""
