package dev.echodb

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlin.time.Duration
import dev.echodb.ffi.BlobFetch as NativeFetch
import dev.echodb.ffi.BlobFetchState as NativeState
import dev.echodb.ffi.BlobInfo as NativeInfo
import dev.echodb.ffi.BlobListener as NativeListener
import dev.echodb.ffi.BlobProgress as NativeProgress
import dev.echodb.ffi.BlobWriter as NativeWriter
import dev.echodb.ffi.CollectedBlobs as NativeCollected

/**
 * What is here of a blob.
 *
 * @property id Its id, 52 characters.
 * @property size Its size in bytes.
 * @property held How many of its bytes are here.
 * @property whole Whether all of them are.
 * @property referenced Whether an object that is not deleted names it.
 */
public data class BlobInfo(
    public val id: String,
    public val size: Long,
    public val held: Long,
    public val whole: Boolean,
    public val referenced: Boolean,
) {
    /** What names the blob in an object's field. */
    public val ref: BlobRef get() = BlobRef(id, size)

    internal companion object {
        fun of(info: NativeInfo): BlobInfo =
            BlobInfo(info.id, info.size.toLong(), info.held.toLong(), info.whole, info.referenced)
    }
}

/**
 * What a collection did.
 *
 * @property blobs How many blobs were removed.
 * @property bytes Bytes that this freed in the space's file, for what is written next.
 */
public data class CollectedBlobs(public val blobs: Long, public val bytes: Long) {
    internal companion object {
        fun of(done: NativeCollected): CollectedBlobs = CollectedBlobs(done.blobs.toLong(), done.bytes.toLong())
    }
}

/**
 * Where a fetch stands.
 *
 * @property isFinal Whether nothing more will happen.
 */
public enum class BlobFetchState(public val isFinal: Boolean) {
    /** Under way, or waiting for a peer that holds the blob. */
    FETCHING(false),

    /** All of the blob is here. */
    DONE(true),

    /** It cannot be fetched; see the error. */
    FAILED(true),

    /** It was cancelled, or the space was closed. What has come stays. */
    CANCELLED(true),
    ;

    internal companion object {
        fun of(state: NativeState): BlobFetchState =
            when (state) {
                NativeState.FETCHING -> FETCHING
                NativeState.DONE -> DONE
                NativeState.FAILED -> FAILED
                NativeState.CANCELLED -> CANCELLED
            }
    }
}

/**
 * A fetch at one moment.
 *
 * @property state Where it stands.
 * @property received How many of the blob's bytes are here, those that were here before included.
 * @property total Its size in bytes, once a peer told it.
 * @property peers Connected members that were asked.
 * @property sources Those of them that hold the blob.
 * @property status What failed, for programs; `null` if nothing did.
 * @property error What failed, for people; `null` if nothing did.
 */
public data class BlobProgress(
    public val state: BlobFetchState,
    public val received: Long,
    public val total: Long?,
    public val peers: Int,
    public val sources: Int,
    public val status: Status?,
    public val error: String?,
) {
    internal companion object {
        fun of(progress: NativeProgress): BlobProgress =
            BlobProgress(
                state = BlobFetchState.of(progress.state),
                received = progress.received.toLong(),
                total = progress.total?.toLong(),
                peers = progress.peers.toInt(),
                sources = progress.sources.toInt(),
                status = Status.of(progress.status),
                error = progress.error,
            )
    }
}

/**
 * A blob being written, in as many pieces as wanted; memory stays bounded. One thread at a time.
 * [close], for `use { }`, gives up what was not finished:
 *
 * ```
 * val info = space.blobWriter().use { writer ->
 *     writer.write(piece)
 *     writer.finish()
 * }
 * ```
 */
public class BlobWriter internal constructor(private val native: NativeWriter) : AutoCloseable {
    /** Bytes written so far, 0 after the end. */
    public val size: Long get() = if (native.uniffiIsDestroyed) 0 else translated { native.size() }.toLong()

    /**
     * Adds bytes at the end.
     *
     * @throws EchoException.LimitExceeded past 16 GiB in all; nothing was taken then. Any other
     *   failure ends the writing.
     */
    public suspend fun write(bytes: ByteArray) {
        translated { native.write(bytes) }
    }

    /** Ends the writing: from now on the blob is here, and is offered to peers who ask for it. */
    public suspend fun finish(): BlobInfo = BlobInfo.of(translated { native.finish() })

    /** Gives the blob up; what was written goes. Does nothing after the end. */
    public fun cancel() {
        if (!native.uniffiIsDestroyed) translated { native.cancel() }
    }

    /** The same as [cancel]. */
    override fun close() {
        cancel()
        native.destroy()
    }
}

/** Receives a fetch's progress on the library's threads, one call at a time, the present one first.
 * One that is slow hears of the newest only; the last is never left out. */
public fun interface BlobListener {
    /** The fetch moved on. */
    public fun progressed(progress: BlobProgress)
}

/** A blob on its way. It goes on without this object, until [cancel] or the closing of the space. */
public class BlobFetch internal constructor(private val native: NativeFetch, private val lifeline: Lifeline) {
    /** The blob's id. */
    public val id: String get() = translated { native.id() }

    /** Where it stands. */
    public val progress: BlobProgress get() = BlobProgress.of(translated { native.progress() })

    /**
     * The progress, the present one first, for each collector by itself. Ends with the fetch, and
     * with the client. A collector that is slow gets the newest only. Cancelling it leaves the fetch
     * as it is.
     */
    public fun updates(): Flow<BlobProgress> =
        flow {
            val mailbox = Mailbox<BlobProgress>(1) { _, new -> new }
            lifeline.add(mailbox)
            try {
                subscribe(mailbox::put).use {
                    do {
                        val progress = mailbox.take() ?: break
                        emit(progress)
                    } while (!progress.state.isFinal)
                }
            } finally {
                lifeline.remove(mailbox)
            }
        }

    /** Calls the listener with the present progress and then with every further one. */
    public fun subscribe(listener: BlobListener): Subscription =
        lifeline.add(BlobAdapter(listener)).let { Subscription(translated { native.subscribe(it) }) }

    /**
     * Waits until all of the blob is here. A wait that is given up, or runs out of time, leaves the
     * fetch as it is.
     *
     * @param timeout How long, in whole milliseconds; `null` for as long as it takes.
     * @throws EchoException.Network if no member is connected when the time is over.
     * @throws EchoException.NotFound if none of those who are holds the blob.
     * @throws EchoException.TimedOut if it is still coming.
     * @throws EchoException what ended it otherwise.
     */
    public suspend fun await(timeout: Duration? = null): BlobProgress {
        val millis = timeout?.inWholeMilliseconds
        if (millis != null && millis < 0) throw EchoException.InvalidArgument("a duration is not negative: $timeout")
        return BlobProgress.of(translated { native.wait(millis?.toULong()) })
    }

    /**
     * Ends it for everybody who fetches this blob. What has come stays, and a later fetch goes on
     * from there. Does nothing after the end.
     */
    public fun cancel() {
        translated { native.cancel() }
    }
}

/** What the library calls; it lets go of the program's listener with the client. */
private class BlobAdapter(
    @Volatile private var listener: BlobListener?,
) : NativeListener, Endable {
    override fun progressed(progress: NativeProgress): Unit =
        guarded { listener?.progressed(BlobProgress.of(progress)) }

    override fun end() {
        listener = null
    }
}

/** A blob's bytes, a piece at a time. */
internal fun piecesOf(space: Space, id: String, piece: Int): Flow<ByteArray> =
    flow {
        var offset = 0L
        while (true) {
            val bytes = space.readBlob(id, offset, piece)
            if (bytes.isEmpty()) break
            emit(bytes)
            offset += bytes.size
        }
    }
