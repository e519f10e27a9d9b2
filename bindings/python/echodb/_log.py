"""The library's log lines, in :mod:`logging`: the logger ``echodb.swarm`` and its siblings."""

from __future__ import annotations

import logging

from . import _native

#: Below ``logging.DEBUG``: everything.
TRACE = 5

_TO_LOGGING = {
    _native.LogLevel.ERROR: logging.ERROR,
    _native.LogLevel.WARN: logging.WARNING,
    _native.LogLevel.INFO: logging.INFO,
    _native.LogLevel.DEBUG: logging.DEBUG,
    _native.LogLevel.TRACE: TRACE,
}


class LogSink(_native.LogSink):
    """Hands records to the logger of their target; filters and handlers are the program's."""

    def log(self, record: _native.LogRecord) -> None:
        logger = logging.getLogger(f"echodb.{record.target}")
        level = _TO_LOGGING.get(record.level, logging.ERROR)
        if logger.isEnabledFor(level):
            # The text is data: as the message it could hold a stray % sign.
            logger.log(level, "%s", record.text)


def native_level(level: int) -> _native.LogLevel:
    """The library's level that lets through what ``logging`` does at ``level``."""
    if level > logging.ERROR:
        return _native.LogLevel.OFF
    fitting = [ours for ours, theirs in _TO_LOGGING.items() if theirs >= level]
    return min(fitting, key=_TO_LOGGING.__getitem__, default=_native.LogLevel.TRACE)


def effective_level() -> int:
    """What the program wants to hear of the logger ``echodb``."""
    return logging.getLogger("echodb").getEffectiveLevel()
