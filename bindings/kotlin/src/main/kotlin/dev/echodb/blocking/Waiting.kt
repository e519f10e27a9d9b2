package dev.echodb.blocking

import dev.echodb.EchoException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.runBlocking
import kotlin.time.Duration as KotlinDuration
import kotlin.time.toKotlinDuration
import java.time.Duration

/** Waits on the calling thread, virtual ones too. */
internal fun <T> waiting(work: suspend CoroutineScope.() -> T): T =
    try {
        runBlocking(block = work)
    } catch (_: InterruptedException) {
        // Callers need not declare it, and still can tell.
        Thread.currentThread().interrupt()
        throw EchoException.Cancelled("the thread was interrupted while it waited")
    }

internal fun Duration.kotlin(): KotlinDuration = toKotlinDuration()
