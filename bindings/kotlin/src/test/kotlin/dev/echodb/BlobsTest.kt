package dev.echodb

import dev.echodb.ffi.FfiConverterTypeBlobListener
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Files
import java.nio.file.Path
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Blobs: stored, read, named, collected, fetched from a peer. */
class BlobsTest {
    @TempDir
    lateinit var folder: Path

    private val large = Random(1).nextBytes(3_000_000)

    @Test
    fun `stored, read and named`() = testSpace { _, space ->
        val info = space.putBlob(large)
        assertEquals(BlobInfo(info.id, 3_000_000, 3_000_000, whole = true, referenced = false), info)
        assertEquals(info, space.putBlob(large))
        val id = space.create("Photo", mapOf("file" to info.ref, "all" to listOf(info.ref)))
        val found = space.get(id)!!
        assertEquals(info.ref to listOf(info.ref), found["file"] to found["all"])
        assertEquals(info.ref, space.query("Photo", field("file") eq info.ref).single()["file"])
        assertTrue(space.blobInfo(info.id)!!.referenced)
        assertEquals(listOf(info.id), space.blobs().map { it.id })
        assertArrayEquals(large, space.readBlob(info.id))
        assertArrayEquals(large.copyOfRange(10, 30), space.readBlob(info.id, 10, 20))
        val pieces = space.readBlobPieces(info.id, 1_000_000).toList()
        assertEquals(listOf(1_000_000, 1_000_000, 1_000_000), pieces.map { it.size })
        assertArrayEquals(large, pieces.reduce(ByteArray::plus))
    }

    @Test
    fun `files in and out`() = testSpace { _, space ->
        val file = folder.resolve("in").also { Files.write(it, large) }
        val info = space.putBlobFile(file)
        val out = folder.resolve("out")
        space.blobToFile(info.id, out)
        assertArrayEquals(large, Files.readAllBytes(out))
        thrown<EchoException.NotFound> { space.putBlobFile(folder.resolve("none")) }
    }

    @Test
    fun `written in pieces, or given up`() = testSpace { _, space ->
        val info = space.blobWriter().use { writer ->
            for (piece in large.toList().chunked(1_234_567)) writer.write(piece.toByteArray())
            assertEquals(3_000_000, writer.size)
            writer.finish().also { thrown<EchoException.InvalidState> { writer.finish() } }
        }
        assertEquals(info, space.putBlob(large))
        val writer = space.blobWriter()
        writer.write(byteArrayOf(1))
        writer.cancel()
        thrown<EchoException.InvalidState> { writer.write(byteArrayOf(2)) }
        writer.close()
        writer.close()
        assertEquals(0, writer.size)
        thrown<EchoException.InvalidState> { writer.finish() }
        repeat(300) { n -> space.blobWriter().use { it.write(byteArrayOf(n.toByte())) } }
        assertEquals(1, space.blobs().size)
    }

    @Test
    fun `what nothing names is collected`() = testSpace { _, space ->
        val kept = space.putBlob(byteArrayOf(1))
        space.putBlob(large)
        space.create(null, mapOf("b" to kept.ref))
        assertEquals(0, space.collectBlobs().blobs)
        val done = space.collectBlobs(Duration.ZERO)
        assertEquals(1L, done.blobs)
        assertTrue(done.bytes >= large.size)
        assertEquals(listOf(kept.id), space.blobs().map { it.id })
        thrown<EchoException.InvalidArgument> { space.collectBlobs((-1).seconds) }
    }

    @Test
    fun `what is not here is said`() = testSpace { _, space ->
        val info = space.putBlob(byteArrayOf(1))
        space.collectBlobs(Duration.ZERO)
        assertNull(space.blobInfo(info.id))
        thrown<EchoException.NotFound> { space.readBlob(info.id) }
        thrown<EchoException.NotFound> { space.blobToFile(info.id, folder.resolve("out")) }
        assertFalse(Files.exists(folder.resolve("out")))
        thrown<EchoException.InvalidArgument> { space.readBlob("nonsense") }
        thrown<EchoException.InvalidArgument> { space.readBlob(info.id, -1) }
        val fetch = space.fetchBlob(info.id)
        assertEquals(info.id to BlobFetchState.FETCHING, fetch.id to fetch.progress.state)
        assertTrue(thrown<EchoException.Network> { fetch.await(10.milliseconds) }.retryable)
        thrown<EchoException.InvalidArgument> { fetch.await((-1).seconds) }
        val waiting = launch { fetch.await() }
        val updates = async { fetch.updates().toList() }
        delay(50.milliseconds)
        waiting.cancelAndJoin()
        assertEquals(BlobFetchState.FETCHING, fetch.progress.state)
        fetch.cancel()
        fetch.cancel()
        assertEquals(BlobFetchState.CANCELLED, updates.await().last().state)
        thrown<EchoException.Cancelled> { fetch.await() }
        assertEquals(Status.CANCELLED, fetch.progress.status)
        until { FfiConverterTypeBlobListener.handleMap.size == 0 }
    }

    @Test
    fun `fetched from a peer`() = testPeers { space, copy, _ ->
        val id = space.create("Photo", mapOf("file" to space.putBlob(large).ref))
        until { copy.get(id) != null }
        val ref = copy.get(id)!!["file"] as BlobRef
        val fetch = copy.fetchBlob(ref.id)
        val last = fetch.updates().toList().last()
        assertEquals(BlobFetchState.DONE to ref.size, last.state to last.received)
        assertEquals(ref.size, fetch.await().total)
        assertArrayEquals(large, copy.readBlob(ref.id))
        val seen = fetch.updates().first()
        assertTrue(seen.state.isFinal && seen.status == null && seen.error == null)
    }
}
