"""Faults, by order of the tests: which requests they hit, and what they do.

A rule is `{"method", "path", "query", "nth", "every", "times", "action"}`. `path` and `query` are regular expressions that are
searched for in the target, percent-encoded as it came. Of the requests that match, `nth` hits one (1 is the first),
`every` each n-th; without either all are hit; `times` bounds how many in all. The first rule that hits is the one. Of a list of actions each hit takes the next one.

An action is one or more of

    {"status": 503, "body": "text or JSON", "headers": {}}  answers that; the work is not done
    {"reset": "before"}                                     the connection is reset when the head was read
    {"reset": "during", "after": N}                         … when N bytes of the body were read
    {"reset": "after"}                                      the work is done, its answer is lost
    {"persist": N}                                          only the first N bytes of this chunk are kept (Cloud Storage)
    {"expire": 404 or 410}                                  the upload's session has ended with that
    {"corrupt": N}                                          byte N of the request's body arrives changed
    {"corrupt_answer": N}                                   byte N of the answer's body leaves changed
    {"cut_answer": N}                                       N bytes of the answer's body, then a reset
    {"delay": S}                                            S seconds before the answer
    {"stall": S, "after": N}                                S seconds of silence after N bytes of the body were read
    {"stall_answer": S, "after": N}                         S seconds of silence after N bytes of the answer's body
    {"slow": R}                                             the body is read at R bytes a second
    {"slow_answer": R}                                      the answer's body leaves at R bytes a second
"""

import json
import re
import threading

ACTIONS = {"status", "body", "headers", "reset", "after", "persist", "expire", "corrupt", "corrupt_answer", "cut_answer", "delay", "stall",
           "stall_answer", "slow", "slow_answer"}
RULE = {"method", "path", "query", "nth", "every", "times", "action", "name"}
NOTHING = {}


class Rule:
    def __init__(self, words):
        self.actions = words["action"] if isinstance(words["action"], list) else [words["action"]]
        unknown = set(words) - RULE | {key for action in self.actions for key in action} - ACTIONS
        if unknown:
            raise ValueError(f"a rule of faults has no {', '.join(sorted(unknown))}")
        self.words, self.seen, self.hits = words, 0, 0
        self.path, self.query = re.compile(words.get("path", "")), re.compile(words.get("query", ""))

    def hit(self, method, path, query):
        words = self.words
        if words.get("method", method) != method or not self.path.search(path) or not self.query.search(query):
            return False
        self.seen += 1
        if self.hits >= words.get("times", self.hits + 1):
            return False
        if "nth" in words and self.seen != words["nth"] or "every" in words and self.seen % words["every"]:
            return False
        self.hits += 1
        return True

    def action(self):
        return self.actions[(self.hits - 1) % len(self.actions)]


class Faults:
    def __init__(self):
        self._lock, self._rules = threading.Lock(), []

    def add(self, words):
        with self._lock:
            self._rules += [Rule(one) for one in (words if isinstance(words, list) else [words])]

    def clear(self):
        with self._lock:
            self._rules = []

    def action_for(self, method, path, query):
        with self._lock:
            return next((rule.action() for rule in self._rules if rule.hit(method, path, query)), NOTHING)

    def told(self):
        with self._lock:
            return [rule.words | {"seen": rule.seen, "hits": rule.hits} for rule in self._rules]


def body_of(action):
    body = action["body"]
    return (body if isinstance(body, str) else json.dumps(body)).encode()
