package dev.echodb

import dev.echodb.ffi.FfiConverterTypeChangeListener
import dev.echodb.ffi.FfiConverterTypeInvitationListener
import dev.echodb.ffi.FfiConverterTypeLogSink
import dev.echodb.ffi.uniffiContinuationHandleMap
import kotlinx.coroutines.delay
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import java.io.File
import java.lang.management.ManagementFactory
import kotlin.time.Duration.Companion.milliseconds

/** What this process holds of the system, and of Java's heap, which is resident as a whole. */
data class Footprint(val residentKilobytes: Long, val heapKilobytes: Long, val threads: Int, val files: Int) {
    fun heapGrew(before: Footprint): Boolean = heapKilobytes > before.heapKilobytes + HEAP_SLACK

    companion object {
        /** As little as this process can do with: garbage is collected, and its handles freed. */
        suspend fun settled(): Footprint {
            repeat(5) {
                System.gc()
                delay(50.milliseconds)
            }
            return now()
        }

        private fun now(): Footprint {
            val status = File("/proc/self/status").readLines().associate { it.substringBefore(':') to it.substringAfter(':') }
            return Footprint(
                residentKilobytes = status.getValue("VmRSS").trim().substringBefore(' ').toLong(),
                heapKilobytes = ManagementFactory.getMemoryMXBean().heapMemoryUsage.used / 1024,
                threads = status.getValue("Threads").trim().toInt(),
                files = File("/proc/self/fd").list().orEmpty().size,
            )
        }
    }
}

/** Does the work once to warm up, and then again: the second time it may not leave anything. */
suspend fun leavesNothing(megabytes: Int, work: suspend () -> Unit) {
    work()
    val before = Footprint.settled()
    work()
    var after = Footprint.settled()
    // Threads of the library's pool stay for ten seconds after their last work, and what the
    // collector finds is freed by another thread.
    repeat(60) {
        if (after.threads > before.threads + SLACK || after.files > before.files + SLACK || after.heapGrew(before)) {
            delay(250.milliseconds)
            after = Footprint.settled()
        }
    }
    val grown = (after.residentKilobytes - before.residentKilobytes) / 1024
    assertTrue(!after.heapGrew(before), "the heap grew: $before, then $after")
    assertTrue(grown <= megabytes, "memory grew by $grown MB: $before, then $after")
    assertTrue(after.threads <= before.threads + SLACK, "threads are left: $before, then $after")
    assertTrue(after.files <= before.files + SLACK, "files are left open: $before, then $after")
}

private const val SLACK = 8
private const val HEAP_SLACK = 8 * 1024

/** Waits until the library holds nothing of the program's any more. */
suspend fun nothingIsHeld() {
    val held = {
        mapOf(
            "change listeners" to FfiConverterTypeChangeListener.handleMap.size,
            "invitation listeners" to FfiConverterTypeInvitationListener.handleMap.size,
            "log sinks" to FfiConverterTypeLogSink.handleMap.size,
            "continuations" to uniffiContinuationHandleMap.size,
        ).filterValues { it > 0 }
    }
    repeat(200) {
        if (held().isEmpty()) return
        System.gc()
        delay(20.milliseconds)
    }
    assertEquals(emptyMap<String, Int>(), held())
}
