package dev.echodb

import java.time.Instant
import dev.echodb.ffi.LogLevel as NativeLevel
import dev.echodb.ffi.LogRecord as NativeRecord
import dev.echodb.ffi.LogSink as NativeSink

/** How much a log sink wants to hear; each level includes the ones before it. */
public enum class LogLevel {
    /** Nothing. */
    OFF,

    /** A defect, or data that cannot be kept. */
    ERROR,

    /** Something a user may have to act on. */
    WARN,

    /** Life-cycle: opened, connected, paired. */
    INFO,

    /** What a developer of an application wants to see. */
    DEBUG,

    /** Everything. */
    TRACE,
    ;

    internal fun native(): NativeLevel = NativeLevel.entries[ordinal]

    internal companion object {
        fun of(level: NativeLevel): LogLevel = entries[level.ordinal]
    }
}

/**
 * One line of the log. It names ids, never the content of objects or any key.
 *
 * @property level Its level.
 * @property target The part of the library that speaks, for example `swarm`.
 * @property text The line.
 * @property time When.
 */
public data class LogRecord(
    public val level: LogLevel,
    public val target: String,
    public val text: String,
    public val time: Instant,
)

/** Receives log records on the library's threads, with no lock held. An exception is ignored. */
public fun interface LogSink {
    /** One record. */
    public fun log(record: LogRecord)

    public companion object {
        /**
         * Writes to `System.getLogger("echodb")` and the loggers below it, one for each part of the
         * library. Writes nothing where Java's class library lacks it, as on Android.
         */
        @JvmStatic
        public fun system(): LogSink =
            try {
                Class.forName("java.lang.System\$Logger")
                SystemLog
            } catch (_: ClassNotFoundException) {
                LogSink { }
            }
    }
}

/** What the library calls. */
internal class SinkAdapter(private val sink: LogSink) : NativeSink {
    override fun log(record: NativeRecord): Unit =
        guarded {
            val time = Instant.ofEpochMilli(record.timeMs.toLong())
            sink.log(LogRecord(LogLevel.of(record.level), record.target, record.text, time))
        }
}

/** Apart from the interface, so that a class library without `System.Logger` never loads it. */
private object SystemLog : LogSink {
    override fun log(record: LogRecord) {
        System.getLogger("echodb.${record.target}").log(level(record.level), record.text)
    }

    private fun level(level: LogLevel): System.Logger.Level =
        when (level) {
            LogLevel.OFF -> System.Logger.Level.OFF
            LogLevel.ERROR -> System.Logger.Level.ERROR
            LogLevel.WARN -> System.Logger.Level.WARNING
            LogLevel.INFO -> System.Logger.Level.INFO
            LogLevel.DEBUG -> System.Logger.Level.DEBUG
            LogLevel.TRACE -> System.Logger.Level.TRACE
        }
}
