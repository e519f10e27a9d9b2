package dev.echodb.blocking

import dev.echodb.BlobFetch
import dev.echodb.BlobInfo
import dev.echodb.BlobListener
import dev.echodb.BlobProgress
import dev.echodb.BlobWriter
import dev.echodb.Subscription
import java.time.Duration

/**
 * [BlobWriter] for callers without coroutines; see [BlockingClient].
 *
 * @property coroutines The same writer for coroutines.
 */
public class BlockingBlobWriter(public val coroutines: BlobWriter) : AutoCloseable {
    /** Bytes written so far, 0 after the end. */
    public val size: Long get() = coroutines.size

    /** See [BlobWriter.write]. */
    public fun write(bytes: ByteArray) {
        waiting { coroutines.write(bytes) }
    }

    /** See [BlobWriter.finish]. */
    public fun finish(): BlobInfo = waiting { coroutines.finish() }

    /** See [BlobWriter.cancel]. */
    public fun cancel() {
        coroutines.cancel()
    }

    /** The same as [cancel]. */
    override fun close() {
        coroutines.close()
    }
}

/**
 * [BlobFetch] for callers without coroutines; see [BlockingClient].
 *
 * @property coroutines The same fetch for coroutines.
 */
public class BlockingBlobFetch(public val coroutines: BlobFetch) {
    /** The blob's id. */
    public val id: String get() = coroutines.id

    /** Where it stands. */
    public val progress: BlobProgress get() = coroutines.progress

    /** See [BlobFetch.subscribe]. */
    public fun subscribe(listener: BlobListener): Subscription = coroutines.subscribe(listener)

    /** See [BlobFetch.await]; for as long as it takes. */
    public fun await(): BlobProgress = waiting { coroutines.await() }

    /** See [BlobFetch.await]. */
    public fun await(timeout: Duration): BlobProgress = waiting { coroutines.await(timeout.kotlin()) }

    /** See [BlobFetch.cancel]. */
    public fun cancel() {
        coroutines.cancel()
    }
}
