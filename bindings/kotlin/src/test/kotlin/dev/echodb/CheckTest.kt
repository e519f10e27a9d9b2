package dev.echodb

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Checking what is stored of a space, making it again, and the bound of memory. */
class CheckTest {
    @Test
    fun `a sound space has no findings`() = testSpace { _, space ->
        val id = space.create("Note", mapOf("n" to 1L))
        val quick = space.check()
        assertEquals(Triple(emptyList<CheckFinding>(), 0L, 0L), Triple(quick.findings, quick.moreFindings, quick.objects))
        val full = space.check(full = true)
        // The note, and the space's properties.
        assertEquals(Triple(emptyList<CheckFinding>(), 2L, 0L), Triple(full.findings, full.objects, full.blobs))
        assertTrue(full.entries > 0)
        val repaired = space.repair()
        assertEquals(full.entries to 2L, repaired.entries to repaired.objects)
        assertEquals(0L to 0L, repaired.lostEntries to repaired.damagedBlocks)
        assertTrue(repaired.lost.isEmpty() && repaired.incompleteBlobs.isEmpty())
        assertNull(repaired.keptFile)
        assertEquals(1L, space.get(id)!!["n"])
    }

    @Test
    fun `memory is bounded sensibly`() = test {
        for (wrong in listOf(-1L, 0L, 1000L)) {
            thrown<EchoException.InvalidArgument> { Client.open(online = false, cacheBytes = wrong) }
        }
        Client.open(online = false, cacheBytes = 4L shl 20).shutdown()
    }
}
