/** What a call costs: prints a JSON object with the median of each kind of call. */
package dev.echodb.benchmarks

import dev.echodb.Client
import dev.echodb.Space
import dev.echodb.Text
import kotlinx.coroutines.runBlocking
import java.util.concurrent.Semaphore
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.TimeSource.Monotonic.markNow

private val WARM_UP = 700.milliseconds
private val MEASURING = 1000.milliseconds

/** Enough for a median; fewer when the calls are slow. */
private const val RUNS = 200_000

private class Outcome(val nanoseconds: Long, val runs: Int)

private inline fun measure(call: () -> Unit): Outcome {
    val warm = markNow() + WARM_UP
    while (warm.hasNotPassedNow()) call()
    val times = LongArray(RUNS)
    var runs = 0
    val end = markNow() + MEASURING
    while (runs < RUNS && (runs == 0 || end.hasNotPassedNow())) {
        val start = System.nanoTime()
        call()
        times[runs++] = System.nanoTime() - start
    }
    times.sort(0, runs)
    return Outcome(times[runs / 2], runs)
}

private suspend fun callback(space: Space): Outcome {
    val id = space.create(null, mapOf("n" to 0))
    val told = Semaphore(0)
    var n = 0
    return space.subscribe { told.release() }.use {
        measure {
            space.update(id, mapOf("n" to ++n))
            told.acquire()
        }
    }
}

fun main() {
    runBlocking {
        Client.open(online = false).use { client ->
            client.createIdentity("Ada")
            val space = client.createSpace("Calls")
            val record = space.create("Record", mapOf("text" to "x".repeat(1024)))
            val text = space.create("Note", mapOf("body" to Text("x".repeat(65_536))))
            space.transact { repeat(1000) { create("Item", mapOf("n" to it)) } }
            val outcomes = linkedMapOf(
                "call_trivial" to measure { check(space.id.length == 52) },
                "call_record_1k" to measure { checkNotNull(space.get(record)) },
                "call_list_1000" to measure { check(space.query("Item").size == 1000) },
                "call_bytes_64k" to measure { check(space.text(text, "body").length == 65_536) },
                "call_callback" to callback(client.createSpace("Callback")),
            )
            println(
                outcomes.entries.joinToString(", ", "{", "}") { (name, outcome) ->
                    "\"$name\": {\"ns\": ${outcome.nanoseconds}, \"runs\": ${outcome.runs}}"
                },
            )
        }
    }
}
