package dev.echodb

import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Files
import java.nio.file.Path
import java.time.Instant

/** Archives, JSON files, plain data, single objects. */
class TransferTest {
    @TempDir
    lateinit var folder: Path

    @Test
    fun `archives are written, checked and brought in`() = testSpace { client, space ->
        val id = space.create("Note", mapOf("t" to Text("kept")))
        val file = folder.resolve("space.archive")
        val info = space.exportArchive(file)
        assertEquals(space.id to Files.size(file), info.space to info.bytes)
        assertTrue(info.entries > info.controlEntries && info.controlEntries > 0 && info.digest.length == 64)
        assertEquals(info, verifyArchive(file))
        client.deleteSpace(space.id)
        val back = client.importArchive(file)
        assertEquals(space.id to Text("kept"), back.id to back.get(id)!!["t"])
        Client.open(online = false).use { other ->
            other.createIdentity("Eve")
            thrown<EchoException.PermissionDenied> { other.importArchive(file) }
        }
        val bytes = Files.readAllBytes(file)
        bytes[bytes.size / 2]++
        Files.write(file, bytes)
        assertEquals(Status.CORRUPT, thrown<EchoException.Storage> { verifyArchive(file) }.status)
        thrown<EchoException.NotFound> { verifyArchive(folder.resolve("none")) }
    }

    @Test
    fun `JSON files`() = testSpace { client, space ->
        repeat(3) { space.create("Note", mapOf("n" to it)) }
        val file = folder.resolve("objects.ndjson")
        assertEquals(3, space.exportJsonFile(file))
        assertArrayEquals(space.exportJson(), Files.readAllBytes(file))
        val other = client.createSpace("Copy")
        assertEquals(3, other.importJsonFile(file))
        assertEquals(space.query().map { it.fields }, other.query().map { it.fields })
    }

    @Test
    fun `tables`() = testSpace { _, space ->
        val table = "id;name;born;tags\n1;Ada;1815-12-10;[\"a\"]\n2;Grace;1906-12-09;[]\n".toByteArray()
        val options = ImportOptions(
            ImportFormat.CSV,
            type = "Person",
            key = "id",
            columns = listOf(
                ImportColumn("name", ColumnKind.TEXT, "called"),
                ImportColumn("born", ColumnKind.TIMESTAMP),
                ImportColumn("tags", ColumnKind.JSON),
            ),
            delimiter = ";",
        )
        assertEquals(ImportReport(2, 2, 0, 0, 0, emptyList()), space.importData(table, options))
        val ada = space.query("Person", field("called") eq "Ada").single()
        assertEquals(Text("Ada") to listOf("a"), ada["called"] to ada["tags"])
        assertEquals(Instant.parse("1815-12-10T00:00:00Z"), ada["born"])
        val file = folder.resolve("people.csv").also { Files.write(it, table) }
        val rest = options.copy(columns = options.columns.dropLast(1) + ImportColumn("tags", ColumnKind.IGNORE))
        assertEquals(2, space.importFile(file, rest).unchanged)
    }

    @Test
    fun `rows that cannot be used`() = testSpace { _, space ->
        val lines = "{\"n\": 1}\nnonsense\n{\"n\": 2}\n".toByteArray()
        thrown<EchoException.InvalidArgument> { space.importData(lines, ImportOptions(ImportFormat.NDJSON)) }
        assertEquals(0, space.query().size)
        val report = space.importData(lines, ImportOptions(ImportFormat.NDJSON, onError = OnError.SKIP))
        assertEquals(listOf(2L, 1L, 2L), listOf(report.created, report.skipped, report.skips.single().line))
        assertTrue(report.skips.single().reason.isNotEmpty())
        thrown<EchoException.NotFound> { space.importFile(folder.resolve("none"), ImportOptions(ImportFormat.JSON)) }
        thrown<EchoException.InvalidArgument> { space.importData(lines, ImportOptions(ImportFormat.CSV, delimiter = "ab")) }
    }

    @Test
    fun `single objects with their history`() = testSpace { _, space ->
        val id = space.create("Note", mapOf("t" to Text("abc")))
        val file = space.exportObject(id)
        val copy = space.importObject(file)
        assertEquals(Text("abc"), space.get(copy)!!["t"])
        assertEquals(id, space.importObject(file, id))
        thrown<EchoException.InvalidArgument> { space.importObject("nonsense".toByteArray()) }
        thrown<EchoException.NotFound> { space.exportObject("0".repeat(26)) }
    }
}
