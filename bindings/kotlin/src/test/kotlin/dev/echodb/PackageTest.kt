package dev.echodb

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.io.File
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import java.util.jar.JarFile
import kotlin.io.path.copyTo
import kotlin.io.path.createDirectories
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.name
import kotlin.io.path.readText
import kotlin.streams.toList

/** The jar, alone with its dependencies in an empty folder: programs run that have nothing else. */
class PackageTest {
    @TempDir
    lateinit var folder: Path

    private class Outcome(val code: Int, val out: String, val errors: String)

    /** A project that consists of the jar, its dependencies, and the classes of one program. */
    private fun run(program: String, vararg arguments: String, library: Path? = null): Outcome {
        val libraries = folder.resolve("lib").createDirectories()
        Surroundings.dependencies.listDirectoryEntries().plusElement(Surroundings.jar).forEach {
            it.copyTo(libraries.resolve(it.name), overwrite = true)
        }
        val inner = program.replace('.', '/')
        val classes = folder.resolve("classes")
        val home = Path.of(inner).parent
        classes.resolve(home).createDirectories()
        Surroundings.testClasses.resolve(home).listDirectoryEntries("${Path.of(inner).name}*.class").forEach {
            it.copyTo(classes.resolve(home).resolve(it.name), overwrite = true)
        }
        val java = Path.of(System.getProperty("java.home"), "bin", "java").toString()
        val path = listOf("$classes", "$libraries${File.separator}*").joinToString(File.pathSeparator)
        val command = mutableListOf(java, "-Xmx256m", "-Djava.io.tmpdir=${folder.resolve("tmp").createDirectories()}")
        if (library != null) command.add("-Djna.library.path=$library")
        val builder = ProcessBuilder(command + listOf("-cp", path, program) + arguments).directory(folder.toFile())
        val (out, errors) = listOf("out", "errors").map { folder.resolve(it).toFile() }
        val process = builder.redirectOutput(out).redirectError(errors).start()
        // A program may wait for several things, each of which may take as long on a busy machine.
        if (!process.waitFor(3 * PATIENCE.inWholeSeconds, TimeUnit.SECONDS)) {
            process.destroyForcibly()
            throw AssertionError("$program does not end: ${errors.readText()}")
        }
        return Outcome(process.exitValue(), out.readText(), errors.readText())
    }

    @Test
    fun `the example prints what it should and is what is shown`() {
        val done = run("dev.echodb.examples.notes.NotesKt")
        assertEquals("Buy oat milk\n" to "", done.out to done.errors)
        assertEquals(0, done.code)
        val example = Surroundings.sources.resolve("examples/Notes.kt").readText()
        val shown = example.substringAfter("// README-BEGIN\n").substringBefore("// README-END")
        assertTrue(shown in Surroundings.sources.resolve("README.md").readText())
    }

    @Test
    fun `a Java program is served`() {
        SignalingServer().use { server ->
            val done = run("dev.echodb.java.JavaCaller", folder.resolve("java").toString(), server.url)
            assertEquals("Java is served\n" to "", done.out to done.errors)
            assertEquals(0, done.code)
        }
    }

    @Test
    fun `another library of the same name is not taken for ours`() {
        val other = folder.resolve("other").createDirectories()
        Files.write(other.resolve(System.mapLibraryName("echodb")), "no library".toByteArray())
        val done = run("dev.echodb.examples.notes.NotesKt", library = other)
        assertEquals("Buy oat milk\n" to "", done.out to done.errors)
    }

    @Test
    fun `nothing unpacked is left behind`() {
        run("dev.echodb.examples.notes.NotesKt")
        val left = Files.walk(folder.resolve("tmp")).use { files -> files.filter(Files::isRegularFile).toList() }
        assertEquals(emptyList<Path>(), left.filter { Files.size(it) > 1_000_000 })
    }

    @Test
    fun `a program that forgets to close ends by itself`() {
        val profile = folder.resolve("profile")
        val done = run("dev.echodb.Forgetful", profile.toString())
        assertEquals(0 to "", done.code to done.errors)
        val id = done.out.trim()
        test {
            Client.open(profile, online = false).use { client ->
                assertEquals("typed", client.defaultSpace().text(id, "t"))
            }
        }
    }

    @Test
    fun `the jar holds the library and hides what is generated`() {
        JarFile(Surroundings.jar.toFile()).use { jar ->
            val names = jar.entries().asSequence().map { it.name }.toList()
            assertEquals(1, names.count { it.endsWith("/" + System.mapLibraryName("echodb")) })
            assertEquals("dev.echodb", jar.manifest.mainAttributes.getValue("Automatic-Module-Name"))
            assertTrue("META-INF/LICENSE-MIT" in names && "META-INF/LICENSE-APACHE" in names)
            assertFalse(names.any { "Test" in it })
        }
    }

    @Test
    fun `the archive for Android is laid out`() {
        // The layout alone: a library of this machine stands in the place of those for Android.
        val native = System.mapLibraryName("echodb")
        val libraries = folder.resolve("ndk")
        for (abi in listOf("arm64-v8a", "x86_64")) {
            val place = libraries.resolve(abi).createDirectories().resolve("libechodb.so")
            // Not by way of memory: with its symbols it is larger than the heap.
            JarFile(Surroundings.jar.toFile()).use { jar ->
                val entry = jar.entries().asSequence().single { it.name.endsWith("/$native") }
                jar.getInputStream(entry).use { Files.copy(it, place) }
            }
        }
        val script = Surroundings.sources.resolve("android/build-aar.sh").toString()
        val archive = folder.resolve("out/echo-db.aar")
        fun build(vararg arguments: String): Int {
            val builder = ProcessBuilder("bash", script, *arguments).directory(folder.toFile())
            builder.environment().merge("PATH", "${System.getProperty("java.home")}/bin") { old, jdk -> jdk + File.pathSeparator + old }
            val process = builder.redirectErrorStream(true).redirectOutput(folder.resolve("said").toFile()).start()
            check(process.waitFor(PATIENCE.inWholeSeconds, TimeUnit.SECONDS)) { "the script does not end" }
            return process.exitValue()
        }
        val jar = Surroundings.jar.toString()
        assertEquals(0, build("--jar", jar, "--libraries", libraries.toString(), "--out", archive.toString()))
        JarFile(archive.toFile()).use { aar ->
            val names = aar.entries().asSequence().filter { !it.isDirectory }.map { it.name }.toSet()
            val expected = listOf("AndroidManifest.xml", "R.txt", "classes.jar", "proguard.txt") +
                listOf("jni/arm64-v8a/libechodb.so", "jni/x86_64/libechodb.so")
            assertEquals(expected.toSet(), names)
            val manifest = aar.getInputStream(aar.getEntry("AndroidManifest.xml")).readBytes().decodeToString()
            assertTrue("android:minSdkVersion=\"26\"" in manifest)
            javax.xml.parsers.DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(manifest.byteInputStream())
            val classes = folder.resolve("classes.jar")
            aar.getInputStream(aar.getEntry("classes.jar")).use { Files.copy(it, classes) }
            JarFile(classes.toFile()).use { inner ->
                val all = inner.entries().asSequence().map { it.name }.toList()
                assertTrue("dev/echodb/Client.class" in all)
                assertFalse(all.any { it.endsWith(native) || "maven" in it })
            }
        }
        assertNotEquals(0, build("--jar", "absent.jar", "--libraries", libraries.toString()))
        assertNotEquals(0, build("--jar", jar, "--libraries", folder.resolve("tmp").createDirectories().toString()))
        assertNotEquals(0, build())
    }
}

/** Types into a text, and ends without closing anything. */
object Forgetful {
    @JvmStatic
    fun main(arguments: Array<String>) {
        kotlinx.coroutines.runBlocking {
            val client = Client.open(Path.of(arguments[0]))
            client.createIdentity("Ada")
            val space = client.defaultSpace()
            space.subscribe { }
            val id = space.create("Note", mapOf("t" to Text("")))
            space.spliceText(id, "t", 0, insert = "typed")
            println(id)
        }
    }
}
